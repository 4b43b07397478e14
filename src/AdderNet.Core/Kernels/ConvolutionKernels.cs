namespace AdderNet.Core.Kernels;

/// <summary>Chooses the convolution passes of this process.</summary>
internal static class ConvolutionKernels
{
    /// <summary>The fastest passes that this processor can run; all give equal bits.</summary>
    public static IConvolutionKernels Best { get; } = VectorKernels.Create(VectorKernels.Widest);
}
