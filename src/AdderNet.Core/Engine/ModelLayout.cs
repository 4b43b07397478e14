namespace AdderNet.Core.Engine;

/// <summary>What a parameter is to the optimiser and to initialisation.</summary>
public enum ParameterKind
{
    /// <summary>Filters of an adder layer: the only parameters that the adaptive rate scales.</summary>
    AdderFilter,

    /// <summary>Weights of a multiplying (or binary) convolution or linear layer.</summary>
    Weight,

    /// <summary>Bias of a linear layer.</summary>
    Bias,

    /// <summary>Scale of a batch norm.</summary>
    NormScale,

    /// <summary>Shift of a batch norm.</summary>
    NormShift,

    /// <summary>Filters of a BinaryConnect layer: clipped to [-1, 1] after every update.</summary>
    ClippedWeight,
}

/// <summary>One named tensor within a flat float32 buffer, in the state dict's canonical order (filters [T, C, kh, kw]).</summary>
/// <param name="Name">State-dict name, such as <c>layer1.0.conv1.adder</c>.</param>
/// <param name="Shape">Canonical shape.</param>
/// <param name="Offset">First element within the flat buffer.</param>
/// <param name="Length">Number of elements.</param>
public sealed record TensorSlot(string Name, IReadOnlyList<int> Shape, int Offset, int Length);

/// <summary>A parameter: its place in the flat parameter buffer and what it is.</summary>
public sealed record ParameterSlot(TensorSlot Tensor, ParameterKind Kind);

/// <summary>
/// Where every tensor of a model lies in the flat buffers that cross the engine seam. The reduction vector of a step is
/// [gradients of all parameters | batch means and unbiased variances, laid out as the running statistics | loss].
/// </summary>
public sealed class ModelLayout
{
    /// <summary>Creates a layout from slots whose offsets are contiguous.</summary>
    public ModelLayout(IReadOnlyList<ParameterSlot> parameters, IReadOnlyList<TensorSlot> statistics)
    {
        Parameters = parameters;
        Statistics = statistics;
        ParameterLength = parameters.Sum(p => p.Tensor.Length);
        StatisticsLength = statistics.Sum(s => s.Length);
    }

    /// <summary>Parameters in model order.</summary>
    public IReadOnlyList<ParameterSlot> Parameters { get; }

    /// <summary>Running means and variances in model order (<c>bn1.running_mean</c>, <c>bn1.running_var</c>, ...).</summary>
    public IReadOnlyList<TensorSlot> Statistics { get; }

    /// <summary>Elements of all parameters.</summary>
    public int ParameterLength { get; }

    /// <summary>Elements of all running statistics.</summary>
    public int StatisticsLength { get; }

    /// <summary>Elements of a step's reduction vector: parameters, statistics and one loss.</summary>
    public int ReductionLength => ParameterLength + StatisticsLength + 1;

    /// <summary>Index of the loss within the reduction vector.</summary>
    public int LossIndex => ParameterLength + StatisticsLength;
}
