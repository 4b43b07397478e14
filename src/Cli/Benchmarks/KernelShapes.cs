using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
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
    /// <summary>Models with the side, the channels and the number of images that they are measured with.</summary>
    private static readonly (ModelName Model, int Side, int Channels, int Images)[] Models =
    [
        (ModelName.ResNet50, 224, 3, 8),
        (ModelName.ResNet18, 224, 3, 8),
        (ModelName.ResNet20, 32, 3, 128),
        (ModelName.VggSmall, 32, 3, 32),
        (ModelName.LeNet5, 28, 1, 32),
    ];

    public static IReadOnlyList<KernelShape> All { get; } =
    [
        .. Models.SelectMany(entry => Of(entry.Model, entry.Side, entry.Channels, entry.Images).Select(shape => (shape, entry.Model)))
            .GroupBy(pair => pair.shape, pair => pair.Model)
            .Select(group => new KernelShape(group.Key, [.. group.Distinct()])),
    ];

    private static IEnumerable<ConvolutionShape> Of(ModelName model, int side, int channels, int images) =>
        ModelCatalog.Describe(new ModelOptions { Name = model }, new InputShape(side, side, channels)).Nodes.OfType<ConvolutionNode>()
            .Where(node => node.Method == LayerMethod.Adder)
            .Select(node => new ConvolutionShape(
                images, node.In.Height, node.In.Width, node.In.Channels, node.Out.Channels, node.KernelHeight, node.KernelWidth, node.Stride, node.Padding));
}
