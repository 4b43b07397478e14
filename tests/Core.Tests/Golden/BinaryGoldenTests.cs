using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Engine;
using AdderNet.Core.Kernels;
using AdderNet.Core.Layers;
using AdderNet.Core.Layers.Quantization;
using AdderNet.Core.Models;
using Xunit;
using Xunit.Abstractions;

namespace AdderNet.Core.Tests.Golden;

/// <summary>The binary layers against the float64 oracle of tests/Golden/binary_cases.py.</summary>
public class BinaryGoldenTests(ITestOutputHelper output)
{
    private static readonly LayerMethod[] Methods = [LayerMethod.Binary, LayerMethod.DoReFa, LayerMethod.Xnor];
    private readonly GoldenFile golden = GoldenFile.Open("binary");

    public static TheoryData<string, LayerMethod> Cases()
    {
        var data = new TheoryData<string, LayerMethod>();
        foreach (var name in GoldenFile.Open("binary").Names.Where(n => n.EndsWith(".f", StringComparison.Ordinal)))
        {
            foreach (var method in Methods)
                data.Add(name[..^2], method);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Binary_layers_agree_with_their_papers_formulas(string name, LayerMethod method)
    {
        var g = golden.Integers($"{name}.geometry");
        var shape = new ConvolutionShape(g[0], g[1], g[2], g[3], g[4], g[5], g[6], g[7], g[8]);
        var map = new MapShape(shape.H, shape.W, shape.C);
        // The copy in front makes the input's gradient wanted.
        var nodes = new ModelNode[]
        {
            new MaxPoolNode("copy", ModelDescription.Images, map, map, 1, 1, 0),
            new ConvolutionNode("layer", 0, map, new MapShape(shape.OutHeight, shape.OutWidth, shape.T))
            {
                Method = method,
                KernelHeight = shape.KernelHeight,
                KernelWidth = shape.KernelWidth,
                Stride = shape.Stride,
                Padding = shape.Padding,
                Start = WeightStart.UniformFanIn,
            },
        };
        var model = new ModelDescription("one layer", new InputShape(shape.H, shape.W, shape.C), nodes);
        using var threads = new ComputeThreads(2);
        var context = new LayerContext(golden.Floats($"{name}.f"), [], ConvolutionKernels.Best, threads);
        var layer = Create(method, (ConvolutionNode)nodes[1], model.Layout.Parameters[0].Tensor, context);
        var tape = new ShardTape(model, new TapePlan(nodes), shape.N);
        var x = Layout.InputToChannelsLast(shape, golden.Floats($"{name}.x"));
        tape.Begin(new SampleBatch(x, new int[shape.N], shape.N), shard: 0, new float[model.Layout.ReductionLength]);

        new MaxPoolLayer(0, (MaxPoolNode)nodes[0], context).Forward(tape);
        layer.Forward(tape);
        Check($"{name}.{Spelling.Of(method)}.y", tape.Output(1), expected => Layout.OutputToChannelsLast(shape, expected));
        Layout.OutputToChannelsLast(shape, golden.Floats($"{name}.g")).CopyTo(tape.OutputGradient(1));
        layer.Backward(tape);
        Check($"{name}.{Spelling.Of(method)}.df", tape.Reduction, expected => expected);
        Check($"{name}.{Spelling.Of(method)}.dx", tape.InputGradient(1), expected => Layout.InputToChannelsLast(shape, expected));
    }

    private static LocalLayer Create(LayerMethod method, ConvolutionNode node, TensorSlot filters, LayerContext context) => method switch
    {
        LayerMethod.Binary => new BinaryConnectLayer(1, node, filters, new BinaryScratch(), context),
        LayerMethod.DoReFa => new DoReFaLayer(1, node, filters, new BinaryScratch(), context),
        _ => new XnorLayer(1, node, filters, new BinaryScratch(), context),
    };

    private void Check(string result, ReadOnlyMemory<float> actual, Func<float[], float[]> arrange)
    {
        var expected = arrange(golden.Floats(result));
        var distance = Distance.RelativeL2(actual.Span[..expected.Length], expected);
        output.WriteLine($"{result}: {distance:E2}");
        Assert.True(distance <= ConvolutionGoldenTests.Tolerance, $"{result} is {distance:E2} from the oracle");
    }
}
