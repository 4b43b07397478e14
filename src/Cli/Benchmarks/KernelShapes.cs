using AdderNet.Core.Configuration;
using AdderNet.Core.Kernels;
using AdderNet.Core.Models;

namespace AdderNet.Cli.Benchmarks;

/// <summary>An adder layer's shape and the models that have it.</summary>
internal sealed record KernelShape(ConvolutionShape Shape, IReadOnlyList<ModelName> Models)
{
    /// <summary>Pairs of an input and a filter element: P T K.</summary>
    public double Elements => (double)Shape.OutputLength * Shape.FilterElements;

    public override string ToString()
    {
        var s = Shape;
        return $"{s.KernelHeight}x{s.KernelWidth} {s.C}-{s.T} @{s.H}x{s.W} stride {s.Stride} padding {s.Padding} batch {s.N} ({string.Join(", ", Models.Select(Spelling.Of))})";
    }
}

/// <summary>The distinct adder layers of the models that <c>bench kernels</c> measures.</summary>
internal static class KernelShapes
{
    /// <summary>The models that are measured.</summary>
    public static IReadOnlyList<ModelName> Models { get; } = [ModelName.ResNet50, ModelName.ResNet18, ModelName.ResNet20, ModelName.VggSmall, ModelName.LeNet5];

    /// <summary>The layers of all of them.</summary>
    /// <param name="batch">Images, or null for as many as <c>bench step</c> takes of the model.</param>
    public static IReadOnlyList<KernelShape> Of(int? batch) =>
    [
        .. Models.SelectMany(model => Of(model, batch ?? StepCase.UsualBatch(model)).Select(shape => (shape, model)))
            .GroupBy(pair => pair.shape, pair => pair.model)
            .Select(group => new KernelShape(group.Key, [.. group.Distinct()])),
    ];

    private static IEnumerable<ConvolutionShape> Of(ModelName model, int images) =>
        StepCase.Of(model, images, StepCase.UsualSide(model), threads: 1).Model.Nodes.OfType<ConvolutionNode>()
            .Where(node => node.Method == LayerMethod.Adder)
            .Select(node => new ConvolutionShape(
                images, node.In.Height, node.In.Width, node.In.Channels, node.Out.Channels, node.KernelHeight, node.KernelWidth, node.Stride, node.Padding));
}
