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
    /// <param name="sums">Totals, with the filling of the last vector.</param>
    /// <param name="threads">Threads.</param>
    public static void Run(float* g, int filters, int firstPosition, int endPosition, float* packed, float* sums, ComputeThreads threads) =>
        threads.Split((filters + TOps.Width - 1) / TOps.Width, new Job { Gradient = g, Filters = filters, FirstPosition = firstPosition, EndPosition = endPosition, Packed = packed, Sums = sums });

    private struct Job : ISplitJob
    {
        public float* Gradient;
        public int Filters;
        public int FirstPosition;
        public int EndPosition;
        public float* Packed;
        public float* Sums;

        /// <summary>An item is a vector of filters.</summary>
        public readonly void Run(int first, int end)
        {
            const int together = 4;
            var whole = Filters / TOps.Width;
            while (first < end)
            {
                // Each sum waits for the one before; four at a time do not.
                if (first + together <= Math.Min(end, whole))
                {
                    PackFour(first * TOps.Width);
                    first += together;
                }
                else
                {
                    PackOne(first * TOps.Width, Math.Min(TOps.Width, Filters - first * TOps.Width));
                    first++;
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void PackFour(int t)
        {
            nint width = TOps.Width;
            nint filters = Filters;
            var zero = TOps.Broadcast(0f);
            var isFirst = FirstPosition == 0;
            var total0 = isFirst ? zero : TOps.Load(Sums + t);
            var total1 = isFirst ? zero : TOps.Load(Sums + t + width);
            var total2 = isFirst ? zero : TOps.Load(Sums + t + 2 * width);
            var total3 = isFirst ? zero : TOps.Load(Sums + t + 3 * width);
            var source = Gradient + FirstPosition * filters + t;
            var (line1, line2, line3) = (Place(t + (int)width) - Place(t), Place(t + 2 * (int)width) - Place(t), Place(t + 3 * (int)width) - Place(t));
            var block = Packed + Place(t);
            for (var p = FirstPosition; p < EndPosition; block += BlockLength(Filters))
            {
                TVector sum0 = zero, sum1 = zero, sum2 = zero, sum3 = zero;
                var destination = block;
                for (var end = Math.Min(p + SummationOrder.PositionBlock, EndPosition); p < end; p++, source += filters, destination += Line)
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
        private readonly void PackOne(int t, int lanes)
        {
            nint filters = Filters;
            var total = FirstPosition == 0 ? TOps.Broadcast(0f) : TOps.Load(Sums + t);
            var source = Gradient + FirstPosition * filters + t;
            var block = Packed + Place(t);
            for (var p = FirstPosition; p < EndPosition; block += BlockLength(Filters))
            {
                var sum = TOps.Broadcast(0f);
                var destination = block;
                for (var end = Math.Min(p + SummationOrder.PositionBlock, EndPosition); p < end; p++, source += filters, destination += Line)
                {
                    var value = lanes == TOps.Width ? TOps.Load(source) : TOps.LoadPart(source, lanes);
                    TOps.Store(destination, value);
                    sum = TOps.Add(sum, value);
                }

                total = TOps.Add(total, sum);
            }

            TOps.Store(Sums + t, total);
        }

        private static nint Place(int t) => t / Line * LineLength + t % Line;
    }
}
