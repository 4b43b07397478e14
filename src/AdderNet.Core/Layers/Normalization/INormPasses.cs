using AdderNet.Core.Kernels;

namespace AdderNet.Core.Layers.Normalization;

/// <summary>The passes of a batch norm with what follows it, over whole maps. All implementations give equal bits.</summary>
internal interface INormPasses
{
    /// <summary>Per channel: sums of x - pivot and of (x - pivot)^2, where <see cref="NormOperands.Mean"/> is the pivot. A value that is not finite makes its channel's first sum so.</summary>
    void Moments(in NormOperands operands, ChannelGroups groups, Span<double> first, Span<double> second, NormScratch scratch, ComputeThreads threads);

    /// <summary>y = tail((x - mean) * scale + shift).</summary>
    /// <returns>Whether all values were finite before the ReLU.</returns>
    bool Normalize(in NormOperands operands, ChannelGroups groups, ComputeThreads threads);

    /// <summary>Per channel: sums of g and of g * (x - mean).</summary>
    void GradientSums(in NormOperands operands, ChannelGroups groups, Span<double> first, Span<double> second, NormScratch scratch, ComputeThreads threads);

    /// <summary>dx = scale * (g - average - (x - mean) * slope).</summary>
    void InputGradient(in NormOperands operands, ChannelGroups groups, ComputeThreads threads);
}
