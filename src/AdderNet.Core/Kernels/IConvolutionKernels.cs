namespace AdderNet.Core.Kernels;

/// <summary>
/// One implementation of the convolution passes. All implementations give equal bits: each output element is summed in
/// the one order that docs/determinism.md states (numerics version), whatever the threads and the vector width.
/// Outputs are overwritten. Zero padding takes part in adder layers: a padded element contributes |0 - F|.
/// </summary>
internal interface IConvolutionKernels
{
    /// <summary>Y[p,t] = -sum_k |X[p,k] - F[t,k]| (paper, eq. 2).</summary>
    void AdderForward(in ConvolutionShape shape, ReadOnlySpan<float> x, ReadOnlySpan<float> filters, Span<float> y, ComputeThreads threads);

    /// <summary>dF[t,k] = sum_p (X[p,k] - F[t,k]) G[p,t] (paper, eq. 5).</summary>
    void AdderFilterGradient(in ConvolutionShape shape, ReadOnlySpan<float> x, ReadOnlySpan<float> filters, ReadOnlySpan<float> g, Span<float> gradient, ComputeThreads threads);

    /// <summary>dF[t,k] = sum_p sgn(X[p,k] - F[t,k]) G[p,t] (paper, eq. 4).</summary>
    void AdderFilterGradientSign(in ConvolutionShape shape, ReadOnlySpan<float> x, ReadOnlySpan<float> filters, ReadOnlySpan<float> g, Span<float> gradient, ComputeThreads threads);

    /// <summary>dX[p,k] = sum_t clamp(F[t,k] - X[p,k], -1, 1) G[p,t], gathered over the positions that read the element (paper, eq. 6-7).</summary>
    void AdderInputGradient(in ConvolutionShape shape, ReadOnlySpan<float> x, ReadOnlySpan<float> filters, ReadOnlySpan<float> g, Span<float> dx, ComputeThreads threads);

    /// <summary>Y[p,t] = sum_k X[p,k] F[t,k] (+ bias[t], which may be empty).</summary>
    void Forward(in ConvolutionShape shape, ReadOnlySpan<float> x, ReadOnlySpan<float> filters, ReadOnlySpan<float> bias, Span<float> y, ComputeThreads threads);

    /// <summary>dF[t,k] = sum_p X[p,k] G[p,t].</summary>
    void FilterGradient(in ConvolutionShape shape, ReadOnlySpan<float> x, ReadOnlySpan<float> g, Span<float> gradient, ComputeThreads threads);

    /// <summary>dX[p,k] = sum_t F[t,k] G[p,t], gathered.</summary>
    void InputGradient(in ConvolutionShape shape, ReadOnlySpan<float> filters, ReadOnlySpan<float> g, Span<float> dx, ComputeThreads threads);
}
