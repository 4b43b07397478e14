using AdderNet.Core.Kernels;
using AdderNet.Core.Numerics;

namespace AdderNet.Cli.Benchmarks;

/// <summary>A pass over a shape.</summary>
/// <param name="Kernel">adder_forward, filter_gradient or input_gradient.</param>
/// <param name="Shape">The shape in words.</param>
/// <param name="Elements">Pairs of an input and a filter element.</param>
/// <param name="Seconds">Median of a call, packing of filters and padding of inputs included.</param>
/// <param name="OfBound">Share of the bound: the FMA peak measured beside it, two thirds of it for the input gradient.</param>
/// <param name="OfMix">Share of what a loop of the same instructions without memory reaches beside it.</param>
internal sealed record KernelRow(string Kernel, string Shape, double Elements, double Seconds, double OfBound, double OfMix);

/// <summary>Times the adder passes on one core, each shape beside the register loops.</summary>
internal sealed class KernelBench(TimeProvider clock)
{
    private const int Rounds = 11;
    private static readonly string[] Kernels = ["adder_forward", "filter_gradient", "input_gradient"];

    /// <summary>The rows of one shape, in the order of the passes of a step.</summary>
    public IReadOnlyList<KernelRow> Measure(KernelShape layer, CancellationToken cancellation)
    {
        using var threads = new ComputeThreads(1);
        var operands = new KernelOperands(layer.Shape);
        RegisterLoop[] loops = [.. Loops()];
        Action[] contenders = [.. operands.Passes(threads), .. loops.Select(loop => loop.Run)];
        var timings = new InterleavedTimer(clock, Rounds, TimeSpan.FromMilliseconds(3)).Measure(contenders, cancellation);
        double[] rates = [.. loops.Select((loop, i) => loop.Elements / timings[Kernels.Length + i].Median)];
        double[] bounds = [rates[0], rates[0], rates[0] * 2 / 3];
        double[] mixes = [rates[1], rates[0], rates[2]];
        return
        [
            .. Kernels.Select((kernel, i) =>
            {
                var rate = layer.Elements / timings[i].Median;
                return new KernelRow(kernel, layer.ToString(), layer.Elements, timings[i].Median, rate / bounds[i], rate / mixes[i]);
            }),
        ];
    }

    private static IEnumerable<RegisterLoop> Loops()
    {
        var width = VectorKernels.Widest;
        yield return RegisterLoop.FusedMultiplyAdd(width);
        yield return RegisterLoop.AdderForward(width);
        yield return RegisterLoop.AdderInputGradient(width);
    }
}

/// <summary>Operands of a shape as layers meet them: inputs after a ReLU, filters and gradients normal.</summary>
internal sealed class KernelOperands
{
    private readonly ConvolutionShape shape;
    private readonly float[] x;
    private readonly float[] filters;
    private readonly float[] g;
    private readonly float[] y;
    private readonly float[] gradient;
    private readonly float[] dx;

    public KernelOperands(ConvolutionShape shape)
    {
        this.shape = shape;
        x = Normals(shape.InputLength, 1);
        for (var i = 0; i < x.Length; i++)
            x[i] = Math.Max(x[i], 0f);
        filters = Normals(shape.FilterLength, 2);
        g = Normals(shape.OutputLength, 3);
        (y, gradient, dx) = (new float[shape.OutputLength], new float[shape.FilterLength], new float[shape.InputLength]);
    }

    /// <summary>The three passes, in the order of <see cref="KernelRow.Kernel"/>.</summary>
    public IEnumerable<Action> Passes(ComputeThreads threads)
    {
        var kernels = ConvolutionKernels.Best;
        yield return () => kernels.AdderForward(shape, x, filters, y, threads);
        yield return () => kernels.AdderFilterGradient(shape, x, filters, g, gradient, threads);
        yield return () => kernels.AdderInputGradient(shape, x, filters, g, dx, threads);
    }

    /// <summary>A thousand draws over and over, a prime number of them: speed does not depend on more.</summary>
    private static float[] Normals(int length, uint item)
    {
        var stream = new Philox(1, DrawPurpose.Probe, item);
        var drawn = new float[997];
        for (var i = 0; i < drawn.Length; i++)
            drawn[i] = (float)stream.NextNormal();
        var values = new float[length];
        for (var i = 0; i < length; i++)
            values[i] = drawn[i % drawn.Length];
        return values;
    }
}
