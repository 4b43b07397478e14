using AdderNet.Core.Configuration;
using AdderNet.Core.Data;

namespace AdderNet.Core.Models;

/// <summary>Adds nodes one after another, each reading the last unless told otherwise, and works out shapes.</summary>
internal sealed class ModelBuilder(ModelOptions options, InputShape input)
{
    private readonly List<ModelNode> nodes = [];

    /// <summary>Index of the last node.</summary>
    public int Last => nodes.Count - 1;

    /// <summary>Shape of a node's output.</summary>
    public MapShape Shape(int node) =>
        node == ModelDescription.Images ? new MapShape(input.Height, input.Width, input.Channels) : nodes[node].Out;

    /// <summary>Adds a convolution and returns its index.</summary>
    /// <exception cref="ArgumentException">The map is smaller than the kernel.</exception>
    public int Convolution(
        string name, LayerMethod method, int filters, int kernel, WeightStart start,
        int stride = 1, int padding = 0, bool bias = false, int? from = null) =>
        AddConvolution(name, method, filters, kernel, kernel, start, stride, padding, bias, flat: false, from ?? Last);

    /// <summary>Adds a fully connected layer over the whole map, its weights flattened in C, H, W order.</summary>
    public int Linear(string name, LayerMethod method, int outputs, WeightStart start)
    {
        var map = Shape(Last);
        return AddConvolution(name, method, outputs, map.Height, map.Width, start, 1, 0, bias: false, flat: true, Last);
    }

    /// <summary>Adds a batch norm over the last node.</summary>
    public int BatchNorm(string name) => Add(new BatchNormNode(name, Last, Shape(Last)));

    /// <summary>Adds a ReLU over the last node.</summary>
    public int Relu(string name) => Add(new ReluNode(name, Last, Shape(Last)));

    /// <summary>Adds a max pool over the last node.</summary>
    public int MaxPool(string name, int kernel, int stride, int padding = 0)
    {
        var map = Shape(Last);
        var (height, width) = (Windows(name, map.Height, kernel, stride, padding), Windows(name, map.Width, kernel, stride, padding));
        return Add(new MaxPoolNode(name, Last, map, new MapShape(height, width, map.Channels), kernel, stride, padding));
    }

    /// <summary>Adds the mean over all pixels of the last node.</summary>
    public int GlobalAveragePool(string name) => Add(new GlobalAveragePoolNode(name, Last, Shape(Last)));

    /// <summary>Adds the sum of two nodes of one shape.</summary>
    public int Join(string name, int body, int shortcut)
    {
        if (Shape(body) != Shape(shortcut))
            throw new ArgumentException($"{name} cannot add {Shape(body)} and {Shape(shortcut)}.");
        return Add(new JoinNode(name, body, shortcut, Shape(body)));
    }

    public ModelDescription Build() => new(options, input, nodes);

    private int AddConvolution(
        string name, LayerMethod method, int filters, int kernelHeight, int kernelWidth, WeightStart start,
        int stride, int padding, bool bias, bool flat, int from)
    {
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
            Start = start,
        });
    }

    private int Windows(string name, int side, int kernel, int stride, int padding)
    {
        if (side + 2 * padding < kernel)
        {
            throw new ArgumentException(
                $"at {name} of {options.Name} a side of {side} pixels is left for a window of {kernel}");
        }

        return (side + 2 * padding - kernel) / stride + 1;
    }

    private int Add(ModelNode node)
    {
        nodes.Add(node);
        return Last;
    }
}
