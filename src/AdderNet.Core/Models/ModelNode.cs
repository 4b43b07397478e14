using AdderNet.Core.Configuration;

namespace AdderNet.Core.Models;

/// <summary>How the weights of a layer start.</summary>
public enum WeightStart
{
    /// <summary>N(0, 1): adder filters.</summary>
    StandardNormal,

    /// <summary>PyTorch's default: uniform over +-1/sqrt(fan in).</summary>
    UniformFanIn,

    /// <summary>Kaiming normal, fan out, for ReLU: standard deviation sqrt(2 / (T*kh*kw)).</summary>
    KaimingFanOut,
}

/// <summary>One operation of a model. Nodes are ordered so that every input comes before its readers.</summary>
/// <param name="Name">State-dict prefix of the node's tensors, or a name of the same style for nodes without tensors.</param>
/// <param name="Input">Index of the node whose output is read; <see cref="ModelDescription.Images"/> for the images.</param>
/// <param name="In">Shape of one sample's input.</param>
/// <param name="Out">Shape of one sample's output.</param>
internal abstract record ModelNode(string Name, int Input, MapShape In, MapShape Out);

/// <summary>
/// A convolution; a fully connected layer is one whose kernel is the whole map. What it does with input and filter is its
/// method: adder filters are named <c>.adder</c>, all others <c>.weight</c>.
/// </summary>
internal sealed record ConvolutionNode(string Name, int Input, MapShape In, MapShape Out) : ModelNode(Name, Input, In, Out)
{
    /// <summary>What the layer computes.</summary>
    public required LayerMethod Method { get; init; }

    /// <summary>Rows of the kernel.</summary>
    public required int KernelHeight { get; init; }

    /// <summary>Columns of the kernel.</summary>
    public required int KernelWidth { get; init; }

    /// <summary>Pixels between neighbouring windows.</summary>
    public int Stride { get; init; } = 1;

    /// <summary>Rows and columns of zeros around the map.</summary>
    public int Padding { get; init; }

    /// <summary>Whether a bias per filter is added (multiplying layers only).</summary>
    public bool Bias { get; init; }

    /// <summary>Whether the state dict holds the filters as a matrix [T, C*kh*kw] instead of [T, C, kh, kw].</summary>
    public bool FlatFilters { get; init; }

    /// <summary>How the filters start.</summary>
    public required WeightStart Start { get; init; }

    /// <summary>Elements of one filter.</summary>
    public int FilterElements => In.Channels * KernelHeight * KernelWidth;

    /// <summary>State-dict name of the filters.</summary>
    public string FilterName => Method == LayerMethod.Adder ? $"{Name}.adder" : $"{Name}.weight";

    /// <summary>Canonical shape of the filters.</summary>
    public IReadOnlyList<int> FilterShape => FlatFilters
        ? [Out.Channels, FilterElements]
        : [Out.Channels, In.Channels, KernelHeight, KernelWidth];
}

/// <summary>Batch normalisation over samples and pixels, with scale and shift (eps 1e-5, momentum 0.1).</summary>
internal sealed record BatchNormNode(string Name, int Input, MapShape Map) : ModelNode(Name, Input, Map, Map)
{
    /// <summary>Where every channel's scale starts.</summary>
    public float StartScale { get; init; } = 1;
}

/// <summary>max(x, 0).</summary>
internal sealed record ReluNode(string Name, int Input, MapShape Map) : ModelNode(Name, Input, Map, Map);

/// <summary>Maximum over windows; padding takes no part.</summary>
internal sealed record MaxPoolNode(string Name, int Input, MapShape In, MapShape Out, int Kernel, int Stride, int Padding)
    : ModelNode(Name, Input, In, Out);

/// <summary>Mean over all pixels.</summary>
internal sealed record GlobalAveragePoolNode(string Name, int Input, MapShape In)
    : ModelNode(Name, Input, In, new MapShape(1, 1, In.Channels));

/// <summary>Sum of a block's body and of its shortcut.</summary>
/// <param name="Name">Name of the block with <c>.join</c>.</param>
/// <param name="Input">The body's last node.</param>
/// <param name="Shortcut">The block's input, or its downsampled form.</param>
/// <param name="Map">Shape of both.</param>
internal sealed record JoinNode(string Name, int Input, int Shortcut, MapShape Map) : ModelNode(Name, Input, Map, Map);
