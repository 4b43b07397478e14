using AdderNet.Core.Configuration;
using AdderNet.Core.Data;

namespace AdderNet.Core.Models;

/// <summary>Operations on one image.</summary>
/// <param name="Additions">Additions and subtractions.</param>
/// <param name="Multiplications">Multiplications.</param>
/// <param name="Xnors">One-bit XNORs.</param>
public readonly record struct OperationCount(long Additions, long Multiplications, long Xnors)
{
    /// <summary>All of both.</summary>
    public static OperationCount operator +(OperationCount left, OperationCount right) => new(
        left.Additions + right.Additions, left.Multiplications + right.Multiplications, left.Xnors + right.Xnors);

    /// <summary>
    /// What a layer of a method takes for <paramref name="pairs"/> pairs of an input element and a filter element: adder
    /// (eq. 2) a subtraction and an addition, conv a multiplication and an addition, binary (weights of +-1, real inputs)
    /// an addition, dorefa and xnor an XNOR and an addition.
    /// </summary>
    public static OperationCount Of(LayerMethod method, long pairs) => method switch
    {
        LayerMethod.Adder => new(2 * pairs, 0, 0),
        LayerMethod.Conv => new(pairs, pairs, 0),
        LayerMethod.Binary => new(pairs, 0, 0),
        LayerMethod.DoReFa or LayerMethod.Xnor => new(pairs, 0, pairs),
        _ => throw new ArgumentOutOfRangeException(nameof(method), method, "Not a method."),
    };
}

/// <summary>What one convolution or fully connected layer holds and does for one image.</summary>
/// <param name="Name">State-dict prefix.</param>
/// <param name="Method">What it computes.</param>
/// <param name="Output">Shape of its output.</param>
/// <param name="Pairs">Pairs of an input element (padding included) and a filter element that it brings together.</param>
/// <param name="Parameters">Filters and bias.</param>
/// <param name="IsFirst">It reads the images.</param>
/// <param name="IsShortcut">It is a shortcut around a block.</param>
public sealed record LayerOperations(string Name, LayerMethod Method, MapShape Output, long Pairs, long Parameters, bool IsFirst, bool IsShortcut)
{
    /// <summary>Elements of its output.</summary>
    public long Activations => Output.Elements;

    /// <summary>Operations by its own method.</summary>
    public OperationCount Operations => OperationCount.Of(Method, Pairs);
}

/// <summary>
/// Operations of a model's forward pass on one image, as the paper's tables count them: convolutions and fully connected
/// layers; one addition for each product, difference or bit; batch norms, activations, pooling, the sums at the ends of
/// blocks, biases and the scaling factors of binary layers are left out.
/// </summary>
public sealed class OperationCounts
{
    private OperationCounts(ModelDescription model)
    {
        // Where no ReLU stands between, an identity shortcut too begins at a batch norm, but at one that the body reads as well.
        var read = model.Nodes.Select(node => node.Input).ToHashSet();
        var shortcuts = model.Nodes.OfType<JoinNode>().Where(join => !read.Contains(join.Shortcut)).Select(join => Source(model, join.Shortcut)).ToHashSet();
        Layers = [.. model.Nodes.OfType<ConvolutionNode>().Select(node => new LayerOperations(
            node.Name, node.Method, node.Out, (long)node.Out.Elements * node.FilterElements,
            ((long)node.Out.Channels * node.FilterElements) + (node.Bias ? node.Out.Channels : 0),
            node.Input == ModelDescription.Images, shortcuts.Contains(node)))];
        NormParameters = model.Nodes.OfType<BatchNormNode>().Sum(node => 2L * node.Out.Channels);
    }

    /// <summary>Convolutions and fully connected layers, in the order of the state dict.</summary>
    public IReadOnlyList<LayerOperations> Layers { get; }

    /// <summary>Scales and shifts of all batch norms.</summary>
    public long NormParameters { get; }

    /// <summary>All trained parameters.</summary>
    public long Parameters => Layers.Sum(layer => layer.Parameters) + NormParameters;

    /// <summary>Elements of all layers' outputs.</summary>
    public long Activations => Layers.Sum(layer => layer.Activations);

    /// <summary>Counts a model.</summary>
    public static OperationCounts Of(ModelDescription model) => new(model);

    /// <summary>Counts a model of the catalogue.</summary>
    /// <exception cref="InvalidDescriptionException">The images are too small.</exception>
    public static OperationCounts Of(ModelOptions options, InputShape input) => new(ModelCatalog.Describe(options, input));

    /// <summary>Operations of the chosen layers, each by its own method.</summary>
    public OperationCount Sum(Func<LayerOperations, bool> chosen) =>
        Layers.Where(chosen).Aggregate(default(OperationCount), (sum, layer) => sum + layer.Operations);

    /// <summary>Operations of the chosen layers if all were of one method, as the paper's tables have it.</summary>
    public OperationCount SumAs(LayerMethod method, Func<LayerOperations, bool> chosen) =>
        OperationCount.Of(method, Layers.Where(chosen).Sum(layer => layer.Pairs));

    /// <summary>The convolution behind a batch norm.</summary>
    private static ModelNode? Source(ModelDescription model, int node) => node == ModelDescription.Images ? null : model.Nodes[node] switch
    {
        BatchNormNode norm => Source(model, norm.Input),
        var other => other,
    };
}
