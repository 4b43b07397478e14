using System.Runtime.CompilerServices;
using AdderNet.Core.Numerics;

namespace AdderNet.Core.Kernels;

/// <summary>Between canonical order [T, C, kh, kw] and the order of terms (tap, channel) in which filter gradients are summed.</summary>
internal static unsafe class FilterGradientEnd<TOps, TVector>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
{
    /// <summary>Filters as [T, paddedTerms] in term order, with room for the rows that tiles read beyond the last filter.</summary>
    public static float* OrderFilters(in ConvolutionShape shape, float* filters, int paddedTerms, ComputeThreads threads)
    {
        var ordered = threads.Workspace.Take<float>(WorkspaceSlot.OrderedFilters, (long)(shape.T + GatherPlan.Group) * paddedTerms);
        threads.Split(shape.T, new OrderJob { Shape = shape, PaddedTerms = paddedTerms, Filters = filters, Ordered = ordered });
        return ordered;
    }

    /// <summary>sum_p G[p, t] for each filter, in blocks of positions.</summary>
    public static float* SumGradients(in ConvolutionShape shape, float* g, ComputeThreads threads)
    {
        var vectors = (shape.T + TOps.Width - 1) / TOps.Width;
        var sums = threads.Workspace.Take<float>(WorkspaceSlot.GradientSums, vectors * TOps.Width);
        threads.Split(vectors, new SumJob { Filters = shape.T, Positions = shape.Positions, Gradient = g, Sums = sums });
        return sums;
    }

    /// <summary>Writes the canonical gradient; where sums are given, gradient - F * sum (paper, eq. 5 multiplied out).</summary>
    public static void Write(in ConvolutionShape shape, float* ordered, int paddedTerms, float* filters, float* sums, float* gradient, ComputeThreads threads) =>
        threads.Split(shape.T, new WriteJob { Shape = shape, PaddedTerms = paddedTerms, Ordered = ordered, Filters = filters, Sums = sums, Gradient = gradient });

    private struct OrderJob : ISplitJob
    {
        public ConvolutionShape Shape;
        public int PaddedTerms;
        public float* Filters;
        public float* Ordered;

        public readonly void Run(int first, int end)
        {
            var taps = Shape.KernelHeight * Shape.KernelWidth;
            for (var t = first; t < end; t++)
            {
                var source = Filters + (long)t * Shape.FilterElements;
                var destination = Ordered + (long)t * PaddedTerms;
                BlockTranspose.Run(source, taps, Shape.C, taps, destination, Shape.C);
            }
        }
    }

    private struct SumJob : ISplitJob
    {
        public int Filters;
        public int Positions;
        public float* Gradient;
        public float* Sums;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int first, int end)
        {
            const int together = 4;
            var whole = Filters / TOps.Width;
            while (first < end)
            {
                // Each sum waits for the one before; four at a time do not.
                if (first + together <= Math.Min(end, whole))
                {
                    SumFour(first * TOps.Width);
                    first += together;
                }
                else
                {
                    SumOne(first * TOps.Width, Math.Min(TOps.Width, Filters - first * TOps.Width));
                    first++;
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void SumFour(int t)
        {
            var width = TOps.Width;
            var zero = TOps.Broadcast(0f);
            TVector total0 = zero, total1 = zero, total2 = zero, total3 = zero;
            var source = Gradient + t;
            for (var block = 0; block < Positions; block += SummationOrder.PositionBlock)
            {
                TVector sum0 = zero, sum1 = zero, sum2 = zero, sum3 = zero;
                for (var p = block; p < Math.Min(block + SummationOrder.PositionBlock, Positions); p++, source += Filters)
                {
                    sum0 = TOps.Add(sum0, TOps.Load(source));
                    sum1 = TOps.Add(sum1, TOps.Load(source + width));
                    sum2 = TOps.Add(sum2, TOps.Load(source + 2 * width));
                    sum3 = TOps.Add(sum3, TOps.Load(source + 3 * width));
                }

                total0 = TOps.Add(total0, sum0);
                total1 = TOps.Add(total1, sum1);
                total2 = TOps.Add(total2, sum2);
                total3 = TOps.Add(total3, sum3);
            }

            TOps.Store(Sums + t, total0);
            TOps.Store(Sums + t + width, total1);
            TOps.Store(Sums + t + 2 * width, total2);
            TOps.Store(Sums + t + 3 * width, total3);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void SumOne(int t, int lanes)
        {
            var total = TOps.Broadcast(0f);
            var source = Gradient + t;
            for (var block = 0; block < Positions; block += SummationOrder.PositionBlock)
            {
                var sum = TOps.Broadcast(0f);
                for (var p = block; p < Math.Min(block + SummationOrder.PositionBlock, Positions); p++, source += Filters)
                    sum = TOps.Add(sum, lanes == TOps.Width ? TOps.Load(source) : TOps.LoadPart(source, lanes));
                total = TOps.Add(total, sum);
            }

            TOps.Store(Sums + t, total);
        }
    }

    private struct WriteJob : ISplitJob
    {
        public ConvolutionShape Shape;
        public int PaddedTerms;
        public float* Ordered;
        public float* Filters;
        public float* Sums;
        public float* Gradient;

        public readonly void Run(int first, int end)
        {
            var taps = Shape.KernelHeight * Shape.KernelWidth;
            for (var t = first; t < end; t++)
            {
                var source = Ordered + (long)t * PaddedTerms;
                var destination = Gradient + (long)t * Shape.FilterElements;
                var filter = Filters + (long)t * Shape.FilterElements;
                BlockTranspose.Run(source, Shape.C, taps, Shape.C, destination, taps);
                if (Sums != null)
                    Correct(filter, -Sums[t], destination);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Correct(float* filter, float negativeSum, float* destination)
        {
            var i = 0;
            var factor = TOps.Broadcast(negativeSum);
            for (; i <= Shape.FilterElements - TOps.Width; i += TOps.Width)
                TOps.Store(destination + i, TOps.MultiplyAdd(TOps.Load(filter + i), factor, TOps.Load(destination + i)));
            for (; i < Shape.FilterElements; i++)
                destination[i] = Fused.MultiplyAdd(filter[i], negativeSum, destination[i]);
        }
    }
}
