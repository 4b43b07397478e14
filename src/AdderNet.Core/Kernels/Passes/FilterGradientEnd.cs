using System.Runtime.CompilerServices;
using AdderNet.Core.Numerics;

namespace AdderNet.Core.Kernels;

/// <summary>Between canonical order [T, C, kh, kw] and the order of terms (tap, channel) in which filter gradients are summed.</summary>
internal static unsafe class FilterGradientEnd<TOps, TVector>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
{
    /// <summary>
    /// Elements between rows of terms: whole cache lines, an odd number of them. At powers of two the rows of a tile would share
    /// few sets of the caches and drive each other out.
    /// </summary>
    public static int RowStride(int terms)
    {
        const int line = 16;
        return ((terms + line - 1) / line | 1) * line;
    }

    /// <summary>Filters as [T, terms] in rows of that stride, with room for the rows that tiles read beyond the last filter.</summary>
    public static float* OrderFilters(in ConvolutionShape shape, float* filters, int rowStride, ComputeThreads threads)
    {
        var ordered = threads.Workspace.Take<float>(WorkspaceSlot.OrderedFilters, (long)(shape.T + GatherPlan.Group) * rowStride);
        threads.Split(shape.T, new OrderJob { Shape = shape, RowStride = rowStride, Filters = filters, Ordered = ordered });
        return ordered;
    }

    /// <summary>Writes the canonical gradient; where filters are given, gradient - F * sum (paper, eq. 5 multiplied out).</summary>
    public static void Write(in ConvolutionShape shape, OrderedGradient ordered, float* filters, float* gradient, ComputeThreads threads) =>
        threads.Split(shape.T, new WriteJob { Shape = shape, RowStride = RowStride(shape.FilterElements), Ordered = ordered.Terms, Filters = filters, Sums = ordered.Sums, Gradient = gradient });

    private struct OrderJob : ISplitJob
    {
        public ConvolutionShape Shape;
        public int RowStride;
        public float* Filters;
        public float* Ordered;

        public readonly void Run(int first, int end)
        {
            var taps = Shape.KernelHeight * Shape.KernelWidth;
            for (var t = first; t < end; t++)
            {
                var source = Filters + (long)t * Shape.FilterElements;
                var destination = Ordered + (long)t * RowStride;
                BlockTranspose.Run(source, taps, Shape.C, taps, destination, Shape.C);
            }
        }
    }

    private struct WriteJob : ISplitJob
    {
        public ConvolutionShape Shape;
        public int RowStride;
        public float* Ordered;
        public float* Filters;
        public float* Sums;
        public float* Gradient;

        public readonly void Run(int first, int end)
        {
            var taps = Shape.KernelHeight * Shape.KernelWidth;
            for (var t = first; t < end; t++)
            {
                var source = Ordered + (long)t * RowStride;
                var destination = Gradient + (long)t * Shape.FilterElements;
                if (taps > 1)
                    BlockTranspose.Run(source, Shape.C, taps, Shape.C, destination, taps);
                else if (Filters == null)
                    new ReadOnlySpan<float>(source, Shape.C).CopyTo(new Span<float>(destination, Shape.C));
                if (Filters != null)
                    Correct(taps > 1 ? destination : source, Filters + (long)t * Shape.FilterElements, -Sums[t], destination);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Correct(float* source, float* filter, float negativeSum, float* destination)
        {
            var i = 0;
            var factor = TOps.Broadcast(negativeSum);
            for (; i <= Shape.FilterElements - TOps.Width; i += TOps.Width)
                TOps.Store(destination + i, TOps.MultiplyAdd(TOps.Load(filter + i), factor, TOps.Load(source + i)));
            for (; i < Shape.FilterElements; i++)
                destination[i] = Fused.MultiplyAdd(filter[i], negativeSum, source[i]);
        }
    }
}
