using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using AdderNet.Core.Numerics;

namespace AdderNet.Core.Kernels;

/// <summary>
/// Makes filter gradients [T, C, kh, kw] of sums over positions in the order of terms (tap, channel): in canonical order, and where
/// filters are given, less F * sum_p G (paper, eq. 5 multiplied out).
/// </summary>
/// <param name="shape">The layer.</param>
/// <param name="terms">[T, terms] in rows of <see cref="RowStride"/>: each term's sum.</param>
/// <param name="sums">sum_p G[p, t] for each filter.</param>
/// <param name="filters">[T, C, kh, kw] or null.</param>
/// <param name="gradient">Receives [T, C, kh, kw].</param>
internal readonly unsafe struct FilterGradientEnd<TOps, TVector>(ConvolutionShape shape, float* terms, float* sums, float* filters, float* gradient) : ISplitJob
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
{
    /// <summary>Elements of a cache line.</summary>
    private const int Line = 16;

    /// <summary>Channels that are brought into order together, while the same ones of the next filter are asked for.</summary>
    private const int Channels = 64;

    private readonly int rowStride = RowStride(shape.FilterElements);

    private int Taps => shape.KernelHeight * shape.KernelWidth;

    /// <summary>
    /// Elements between rows of terms: whole cache lines, an odd number of them. At powers of two the rows of a tile would share
    /// few sets of the caches and drive each other out.
    /// </summary>
    public static int RowStride(int terms) => ((terms + Line - 1) / Line | 1) * Line;

    /// <summary>Filters as [T, terms] in rows of that stride, with room for the rows that tiles read beyond the last filter.</summary>
    public static float* OrderFilters(in ConvolutionShape shape, float* filters, int rowStride, ComputeThreads threads)
    {
        var ordered = threads.Workspace.Take<float>(WorkspaceSlot.OrderedFilters, (long)(shape.T + GatherPlan.Group) * rowStride);
        threads.Split(shape.T, new OrderJob { Shape = shape, RowStride = rowStride, Filters = filters, Ordered = ordered });
        return ordered;
    }

    /// <summary>Writes the gradient.</summary>
    public void Write(ComputeThreads threads) => threads.Split(shape.T, this);

    /// <summary>An item is a filter.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int first, int end)
    {
        for (var t = first; t < end; t++)
        {
            for (var channel = 0; channel < shape.C; channel += Channels)
            {
                var count = Math.Min(Channels, shape.C - channel);
                AskFor(t + 1, channel, count);
                Write(t, channel, count);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Write(int t, int channel, int count)
    {
        var row = terms + (long)t * rowStride + channel;
        var at = (long)t * shape.FilterElements + channel * Taps;
        if (Taps > 1)
        {
            BlockTranspose.Run(row, shape.C, Taps, count, gradient + at, Taps);
            row = gradient + at;
        }
        else if (filters == null)
        {
            new ReadOnlySpan<float>(row, count).CopyTo(new Span<float>(gradient + at, count));
        }

        if (filters != null)
            Correct(row, filters + at, -sums[t], gradient + at, count * Taps);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AskFor(int t, int channel, int count)
    {
        if (!Sse.IsSupported)
            return;
        for (var tap = 0; tap < Taps; tap++)
        {
            for (var c = 0; c < count; c += Line)
                Sse.Prefetch1(terms + (long)t * rowStride + tap * shape.C + channel + c);
        }

        var at = (long)t * shape.FilterElements + channel * Taps;
        for (var i = 0; i < count * Taps; i += Line)
        {
            Sse.Prefetch1(filters + at + i);
            Sse.Prefetch1(gradient + at + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Correct(float* source, float* filter, float negativeSum, float* destination, int length)
    {
        var i = 0;
        var factor = TOps.Broadcast(negativeSum);
        for (; i <= length - TOps.Width; i += TOps.Width)
            TOps.Store(destination + i, TOps.MultiplyAdd(TOps.Load(filter + i), factor, TOps.Load(source + i)));
        for (; i < length; i++)
            destination[i] = Fused.MultiplyAdd(filter[i], negativeSum, source[i]);
    }

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
}
