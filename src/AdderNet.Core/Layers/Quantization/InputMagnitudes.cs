using AdderNet.Core.Kernels;

namespace AdderNet.Core.Layers.Quantization;

/// <summary>
/// XNOR-Net's K: A, the mean |X| over a pixel's channels, averaged over each window of the kernel; padding counts as 0. Both
/// means are summed in double, channels and taps in order, and K is rounded once.
/// </summary>
internal static class InputMagnitudes
{
    /// <summary>K of every output position, in <see cref="BinaryScratch.InputScales"/>.</summary>
    public static float[] OfPositions(ConvolutionShape shape, ReadOnlyMemory<float> x, BinaryScratch scratch, ComputeThreads threads)
    {
        var pixels = scratch.Magnitudes(shape.N * shape.H * shape.W);
        BinaryPasses.MeanMagnitudes(x, shape.C, pixels, shape.N * shape.H * shape.W, threads);

        var scales = scratch.InputScales(shape.Positions);
        threads.Split(shape.Positions, new WindowJob(shape, pixels, scales), BinaryPasses.ThreadElements / (shape.KernelHeight * shape.KernelWidth));
        return scales;
    }

    private readonly struct WindowJob(ConvolutionShape shape, double[] pixels, float[] scales) : ISplitJob
    {
        public void Run(int first, int end)
        {
            for (var p = first; p < end; p++)
                scales[p] = OfWindow(shape, pixels, p);
        }
    }

    private static float OfWindow(in ConvolutionShape shape, double[] pixels, int position)
    {
        var (n, outRow) = Math.DivRem(position / shape.OutWidth, shape.OutHeight);
        var top = outRow * shape.Stride - shape.Padding;
        var left = position % shape.OutWidth * shape.Stride - shape.Padding;
        var sum = 0.0;
        for (var row = Math.Max(top, 0); row < Math.Min(top + shape.KernelHeight, shape.H); row++)
        {
            for (var column = Math.Max(left, 0); column < Math.Min(left + shape.KernelWidth, shape.W); column++)
                sum += pixels[(n * shape.H + row) * shape.W + column];
        }

        return (float)(sum / (shape.KernelHeight * shape.KernelWidth));
    }
}
