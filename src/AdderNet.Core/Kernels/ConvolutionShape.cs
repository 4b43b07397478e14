namespace AdderNet.Core.Kernels;

/// <summary>
/// Geometry of a convolution, adder or multiplying. Inputs are [N, H, W, C] and outputs [N, OutHeight, OutWidth, T],
/// channels last; filters are canonical [T, C, KernelHeight, KernelWidth]. A fully connected layer on an H x W x C map is
/// the convolution whose kernel is the whole map, so that its canonical [T, C*H*W] weights are flattened in C, H, W order.
/// </summary>
internal readonly record struct ConvolutionShape(
    int N, int H, int W, int C, int T, int KernelHeight, int KernelWidth, int Stride, int Padding)
{
    public int OutHeight => (H + 2 * Padding - KernelHeight) / Stride + 1;

    public int OutWidth => (W + 2 * Padding - KernelWidth) / Stride + 1;

    /// <summary>P: output positions over the batch.</summary>
    public int Positions => N * OutHeight * OutWidth;

    /// <summary>K: elements of one filter.</summary>
    public int FilterElements => C * KernelHeight * KernelWidth;

    public int InputLength => N * H * W * C;

    public int OutputLength => Positions * T;

    public int FilterLength => T * FilterElements;
}
