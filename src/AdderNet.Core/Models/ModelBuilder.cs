using AdderNet.Core.Configuration;
using AdderNet.Core.Data;

namespace AdderNet.Core.Models;

/// <summary>
/// Describes a model node by node. Each node reads the last unless told otherwise, and every method returns its node's index,
/// which later nodes can read. The last node's output holds the logits, one for each class.
/// </summary>
/// <param name="name">The model's name, for messages.</param>
/// <param name="input">Shape of one image.</param>
public sealed class ModelBuilder(string name, InputShape input)
{
    private readonly List<ModelNode> nodes = [];
    private readonly HashSet<string> names = new(StringComparer.Ordinal);

    /// <summary>Index of the last node; <see cref="ModelDescription.Images"/> before the first.</summary>
    public int Last => nodes.Count - 1;

    /// <summary>Shape of a node's output, or of the images.</summary>
    public MapShape Shape(int node) =>
        node == ModelDescription.Images ? new MapShape(input.Height, input.Width, input.Channels) : nodes[node].Out;

    /// <summary>Adds a convolution.</summary>
    /// <param name="name">State-dict prefix, such as <c>conv1</c>; unique in the model.</param>
    /// <param name="method">What it does with input and filter.</param>
    /// <param name="filters">T, channels of its output.</param>
    /// <param name="kernel">Side of the square kernel.</param>
    /// <param name="start">How the filters start; null: N(0, 1) for adder filters, else PyTorch's default.</param>
    /// <param name="stride">Pixels between neighbouring windows.</param>
    /// <param name="padding">Rows and columns of zeros around the map.</param>
    /// <param name="bias">Whether a bias is added; multiplying layers only.</param>
    /// <param name="from">The node to read; null: the last.</param>
    /// <exception cref="ArgumentException">A number is out of range, the name is taken, or the map is smaller than the kernel.</exception>
    public int Convolution(
        string name, LayerMethod method, int filters, int kernel, WeightStart? start = null,
        int stride = 1, int padding = 0, bool bias = false, int? from = null) =>
        AddConvolution(name, method, filters, kernel, kernel, start, stride, padding, bias, flat: false, from ?? Last);

    /// <summary>Adds a fully connected layer over the whole map, its weights flattened in C, H, W order.</summary>
    /// <param name="name">State-dict prefix, such as <c>fc</c>; unique in the model.</param>
    /// <param name="method">What it does with input and filter.</param>
    /// <param name="outputs">Channels of its output.</param>
    /// <param name="start">How the weights start; null: N(0, 1) for adder filters, else PyTorch's default.</param>
    /// <exception cref="ArgumentException">A number is out of range or the name is taken.</exception>
    public int Linear(string name, LayerMethod method, int outputs, WeightStart? start = null)
    {
        var map = Shape(Last);
        return AddConvolution(name, method, outputs, map.Height, map.Width, start, 1, 0, bias: false, flat: true, Last);
    }

    /// <summary>Adds a batch norm over the last node.</summary>
    /// <param name="name">State-dict prefix, such as <c>bn1</c>; unique in the model.</param>
    /// <param name="scale">Where its <c>.weight</c> (gamma) starts, the same for every channel.</param>
    /// <exception cref="ArgumentException">The name is taken.</exception>
    public int BatchNorm(string name, float scale = 1) => Add(new BatchNormNode(name, Last, Shape(Last)) { StartScale = scale });

    /// <summary>Adds a ReLU over the last node.</summary>
    public int Relu(string name) => Add(new ReluNode(name, Last, Shape(Last)));

    /// <summary>Adds a max pool over the last node.</summary>
    /// <exception cref="ArgumentException">A number is out of range, the name is taken, or the map is smaller than the window.</exception>
    public int MaxPool(string name, int kernel, int stride, int padding = 0)
    {
        var map = Shape(Last);
        // A window of padding alone would have no maximum.
        ArgumentOutOfRangeException.ThrowIfGreaterThan(padding, kernel / 2);
        var (height, width) = (Windows(name, map.Height, kernel, stride, padding), Windows(name, map.Width, kernel, stride, padding));
        return Add(new MaxPoolNode(name, Last, map, new MapShape(height, width, map.Channels), kernel, stride, padding));
    }

    /// <summary>Adds the mean over all pixels of the last node.</summary>
    public int GlobalAveragePool(string name) => Add(new GlobalAveragePoolNode(name, Last, Shape(Last)));

    /// <summary>Adds the sum of two nodes of one shape: the end of a residual block.</summary>
    /// <exception cref="ArgumentException">They have different shapes, or the name is taken.</exception>
    public int Join(string name, int body, int shortcut)
    {
        if (Shape(body) != Shape(shortcut))
            throw new ArgumentException($"{name} cannot add {Shape(body)} and {Shape(shortcut)}.");
        return Add(new JoinNode(name, body, shortcut, Shape(body)));
    }

    /// <summary>The model as it stands.</summary>
    /// <exception cref="InvalidOperationException">It has no nodes, or one that is neither read nor the last.</exception>
    public ModelDescription Build()
    {
        if (nodes.Count == 0)
            throw new InvalidOperationException($"{name} has no layers.");
        var read = nodes.Select(node => node.Input).Concat(nodes.OfType<JoinNode>().Select(join => join.Shortcut)).ToHashSet();
        if (Enumerable.Range(0, Last).FirstOrDefault(i => !read.Contains(i), -1) is >= 0 and var unread)
            throw new InvalidOperationException($"{name}: nothing reads {nodes[unread].Name}, and it is not the last.");
        return new ModelDescription(name, input, [.. nodes]);
    }

    private int AddConvolution(
        string name, LayerMethod method, int filters, int kernelHeight, int kernelWidth, WeightStart? start,
        int stride, int padding, bool bias, bool flat, int from)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(filters, 1);
        if (bias && method != LayerMethod.Conv)
            throw new ArgumentException($"{name} cannot have a bias: only multiplying layers have one.", nameof(bias));
        var map = Shape(from);
        var (height, width) = (Windows(name, map.Height, kernelHeight, stride, padding), Windows(name, map.Width, kernelWidth, stride, padding));
        return Add(new ConvolutionNode(name, from, map, new MapShape(height, width, filters))
        {
            Method = method,
            KernelHeight = kernelHeight,
            KernelWidth = kernelWidth,
            Stride = stride,
            Padding = padding,
            Bias = bias,
            FlatFilters = flat,
            Start = start ?? (method == LayerMethod.Adder ? WeightStart.StandardNormal : WeightStart.UniformFanIn),
        });
    }

    private int Windows(string node, int side, int kernel, int stride, int padding)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(kernel, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(stride, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(padding);
        if (side + 2 * padding < kernel)
            throw new ArgumentException($"at {node} of {name} a side of {side} pixels is left for a window of {kernel}");
        return (side + 2 * padding - kernel) / stride + 1;
    }

    private int Add(ModelNode node)
    {
        if (!names.Add(node.Name))
            throw new ArgumentException($"{name} has a layer {node.Name} already.");
        nodes.Add(node);
        return Last;
    }
}
