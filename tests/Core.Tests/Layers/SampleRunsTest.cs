using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Engine;
using AdderNet.Core.Kernels;
using AdderNet.Core.Layers;
using AdderNet.Core.Models;
using AdderNet.Core.Numerics;
using Xunit;

namespace AdderNet.Core.Tests.Layers;

/// <summary>Adder layers whose maps are too large for the caches take their samples in runs.</summary>
public sealed class SampleRunsTest
{
    private const int Size = 22;

    [Theory]
    [InlineData(5, 1, 60, 100, 1, 1, 5)]
    [InlineData(5, 1, 250, 10, 3, 1, 1)]
    [InlineData(5, 1, 96, 16, 3, 2, 2)]
    [InlineData(5, 1, 40, 58, 3, 1, 3)]
    [InlineData(5, 2, 40, 58, 3, 1, 3)]
    [InlineData(5, 2, 96, 16, 3, 2, 2)]
    [InlineData(6, 2, 96, 16, 3, 2, 2)]
    [InlineData(6, 3, 96, 16, 3, 2, 2)]
    [InlineData(3, 3, 250, 10, 3, 1, 1)]
    [InlineData(33, 2, 250, 10, 3, 2, 1)]
    public void Runs_give_the_bits_of_all_samples_at_once(int samples, int threadCount, int channels, int filters, int kernel, int stride, int run)
    {
        var build = new ModelBuilder("net", new InputShape(Size, Size, 1));
        build.Convolution("first", LayerMethod.Conv, channels, 1, WeightStart.UniformFanIn);
        build.Convolution("adder", LayerMethod.Adder, filters, kernel, stride: stride, padding: kernel / 2);
        var model = build.Build();
        var node = (ConvolutionNode)model.Nodes[1];
        var shape = new ConvolutionShape(samples, Size, Size, channels, filters, kernel, kernel, stride, kernel / 2);
        Assert.Equal(run, SampleRuns.Of(shape));

        using var threads = new ComputeThreads(threadCount);
        var draws = new Philox(11, DrawPurpose.Probe);
        var context = new LayerContext(Drawn(model.Layout.ParameterLength), new float[model.Layout.StatisticsLength], ConvolutionKernels.Best, threads);
        var slot = model.Layout.Parameters[1].Tensor;
        var tape = new ShardTape(model, new TapePlan(model.Nodes), samples);
        tape.Begin(new SampleBatch(new float[samples * model.Input.Elements], new int[samples], samples), 0, new float[model.Layout.ReductionLength]);
        var (x, g) = (Drawn(shape.InputLength), Drawn(shape.OutputLength));
        x.CopyTo(tape.Output(0));
        var layer = new AdderLayer(1, node, slot, GradientKind.Full, context);
        layer.Forward(tape);
        var y = tape.Output(1)[..shape.OutputLength].ToArray();
        g.CopyTo(tape.OutputGradient(1));
        layer.Backward(tape);

        var (expectedY, expectedDx) = (new float[y.Length], new float[x.Length]);
        var own = context.Parameters.AsSpan(slot.Offset, slot.Length);
        context.Kernels.AdderForward(shape, x, own, expectedY, threads);
        context.Kernels.AdderInputGradient(shape, x, own, g, expectedDx, threads);
        Assert.Equal(expectedY, y);
        Assert.Equal(expectedDx, tape.InputGradient(1)[..x.Length].ToArray());

        float[] Drawn(int length) => [.. Enumerable.Range(0, length).Select(_ => (float)draws.NextNormal())];
    }
}
