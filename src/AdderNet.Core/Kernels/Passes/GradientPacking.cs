using System.Runtime.CompilerServices;

namespace AdderNet.Core.Kernels;

/// <summary>
/// Output gradients in the order in which the tiles of filter gradients read them, [block of positions, line of 16 filters,
/// position, filter]; the sums over positions that eq. 5 wants come along, so that gradients are read from memory once.
/// </summary>
internal static unsafe class GradientPacking<TOps, TVector>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
{
    /// <summary>Filters of a line; also the elements between one position and the next.</summary>
    public const int Line = 16;

    /// <summary>Vectors of filters that are packed side by side.</summary>
    private const int Together = 4;

    /// <summary>Elements of a line.</summary>
    public const int LineLength = SummationOrder.PositionBlock * Line;

    /// <summary>Elements of a block of positions, with the line that tiles read beyond the last filter.</summary>
    public static int BlockLength(int filters) => ((filters + Line - 1) / Line + 1) * LineLength;

    /// <summary>For each filter (and those that tiles read beyond the last one) where it begins within a block.</summary>
    public static int* Rows(int filters, ComputeThreads threads)
    {
        var count = filters + Line;
        var rows = threads.Workspace.Take<int>(WorkspaceSlot.PackedRows, count);
        for (var t = 0; t < count; t++)
            rows[t] = t / Line * LineLength + t % Line;
        return rows;
    }

    /// <summary>Packs some blocks and adds each filter's sum over each block to its total.</summary>
    /// <param name="g">[P, filters].</param>
    /// <param name="filters">Number of filters.</param>
    /// <param name="firstPosition">The first block's first position; 0 starts the totals at +0.</param>
    /// <param name="endPosition">Behind the last position.</param>
    /// <param name="packed">Receives the blocks.</param>
    /// <param name="totals">Totals, with the filling of the last vector.</param>
    /// <param name="threads">Threads.</param>
    public static void Run(float* g, int filters, int firstPosition, int endPosition, float* packed, float* totals, ComputeThreads threads)
    {
        var blocks = (endPosition - firstPosition + SummationOrder.PositionBlock - 1) / SummationOrder.PositionBlock;
        var padded = (filters + TOps.Width - 1) / TOps.Width * TOps.Width;
        var groups = (padded / TOps.Width + Together - 1) / Together;
        var sums = threads.Workspace.Take<float>(WorkspaceSlot.BlockSums, (long)blocks * padded);
        threads.Split(blocks * groups, new Job { Gradient = g, Filters = filters, Padded = padded, Groups = groups, FirstPosition = firstPosition, EndPosition = endPosition, Packed = packed, Sums = sums });
        if (firstPosition == 0)
            new Span<float>(totals, padded).Clear();
        for (var block = 0; block < blocks; block++, sums += padded)
        {
            for (var t = 0; t < padded; t += TOps.Width)
                TOps.Store(totals + t, TOps.Add(TOps.Load(totals + t), TOps.Load(sums + t)));
        }
    }

    private struct Job : ISplitJob
    {
        public float* Gradient;
        public int Filters;
        public int Padded;
        public int Groups;
        public int FirstPosition;
        public int EndPosition;
        public float* Packed;

        /// <summary>[block, padded filters].</summary>
        public float* Sums;

        /// <summary>An item is a block of a few vectors of filters.</summary>
        public readonly void Run(int first, int end)
        {
            for (var item = first; item < end; item++)
            {
                var (block, t) = (item / Groups, item % Groups * Together * TOps.Width);
                var position = FirstPosition + block * SummationOrder.PositionBlock;
                var length = Math.Min(SummationOrder.PositionBlock, EndPosition - position);
                var source = Gradient + (nint)position * Filters;
                var destination = Packed + (nint)block * BlockLength(Filters);
                var sums = Sums + (nint)block * Padded;
                if (t + Together * TOps.Width <= Filters)
                {
                    PackFour(source + t, length, destination, t, sums + t);
                    continue;
                }

                for (; t < Filters; t += TOps.Width)
                    PackOne(source + t, length, Math.Min(TOps.Width, Filters - t), destination + Place(t), sums + t);
            }
        }

        /// <summary>Each sum waits for the one before; four at a time do not.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void PackFour(float* source, int length, float* block, int t, float* sums)
        {
            nint width = TOps.Width;
            nint filters = Filters;
            TVector sum0 = default, sum1 = default, sum2 = default, sum3 = default;
            var (line1, line2, line3) = (Place(t + (int)width) - Place(t), Place(t + 2 * (int)width) - Place(t), Place(t + 3 * (int)width) - Place(t));
            var destination = block + Place(t);
            for (var p = 0; p < length; p++, source += filters, destination += Line)
            {
                var value0 = TOps.Load(source);
                var value1 = TOps.Load(source + width);
                var value2 = TOps.Load(source + 2 * width);
                var value3 = TOps.Load(source + 3 * width);
                TOps.Store(destination, value0);
                TOps.Store(destination + line1, value1);
                TOps.Store(destination + line2, value2);
                TOps.Store(destination + line3, value3);
                sum0 = TOps.Add(sum0, value0);
                sum1 = TOps.Add(sum1, value1);
                sum2 = TOps.Add(sum2, value2);
                sum3 = TOps.Add(sum3, value3);
            }

            TOps.Store(sums, sum0);
            TOps.Store(sums + width, sum1);
            TOps.Store(sums + 2 * width, sum2);
            TOps.Store(sums + 3 * width, sum3);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void PackOne(float* source, int length, int lanes, float* destination, float* sums)
        {
            TVector sum = default;
            for (var p = 0; p < length; p++, source += Filters, destination += Line)
            {
                var value = lanes == TOps.Width ? TOps.Load(source) : TOps.LoadPart(source, lanes);
                TOps.Store(destination, value);
                sum = TOps.Add(sum, value);
            }

            TOps.Store(sums, sum);
        }

        private static nint Place(int t) => t / Line * LineLength + t % Line;
    }
}
