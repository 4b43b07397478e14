using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace AdderNet.Core.Kernels;

/// <summary>
/// Forward passes and input gradients: rows are positions of the result that meet the same taps, lanes are its channels, so
/// each element is gathered and written once a chunk of terms. Optimised from the first call on: a layer's tiles are few and many
/// at a time, and would run behind unoptimised code for seconds.
/// </summary>
internal static unsafe class GatherPass<TOps, TVector, TTile>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
    where TTile : struct, ITile
{
    /// <summary>Fewest positions that the panels of a batch take in turn, while what they read is in the first-level cache.</summary>
    private const int FewestRows = 4 * GatherPlan.Group;

    /// <summary>Most positions that they take in turn.</summary>
    private const int MostRows = 16 * GatherPlan.Group;

    /// <summary>Bytes of what positions read that stay in the first-level cache beside a panel.</summary>
    private const int SweepBytes = 12 << 10;

    /// <summary>Bytes of the second-level cache that what passes by a batch's panels takes.</summary>
    private const int PassingBytes = 640 << 10;

    /// <summary>Fewest bytes of a batch's panels.</summary>
    private const int FewestBatchBytes = 384 << 10;

    /// <summary>Bytes of the panels of a batch, which stay in the second-level cache while positions pass by: each batch reads all positions anew.</summary>
    private static readonly long BatchBytes = Math.Max(CacheSizes.SecondLevel - PassingBytes, FewestBatchBytes);

    /// <summary>Rows that a set of the first-level cache holds.</summary>
    private const int CacheWays = 8;

    /// <summary>Elements after which the sets of the first-level cache come again.</summary>
    private const int CacheSpan = 1024;

    /// <summary>Elements between rows that are copied since they collide: a chunk of terms, and an odd number of cache lines.</summary>
    private const int CopyStride = SummationOrder.ChunkBlocks * SummationOrder.ForwardBlock + 16;

    /// <param name="plan">The positions and what they read.</param>
    /// <param name="columns">Channels of the result.</param>
    /// <param name="terms">Terms of a packed filter.</param>
    /// <param name="operands">Operands.</param>
    /// <param name="threads">Threads.</param>
    public static void Run(GatherPlan plan, int columns, int terms, in GatherOperands operands, ComputeThreads threads)
    {
        var split = new PanelSplit(columns, TOps.Width, TTile.Vectors);
        var most = (int)Math.Clamp(BatchBytes / (terms * split.WidestPanel * sizeof(float)), 1, split.Count);
        var groups = Math.Max(plan.Groups, 1);
        var batches = (split.Count + most - 1) / most;
        var shares = Math.Min(threads.Count, batches * groups);
        threads.Split(shares, new Job
        {
            Shares = shares,
            Batches = batches,
            Split = split,
            Together = (split.Count + batches - 1) / batches,
            Terms = terms,
            Groups = groups,
            Unreached = new UnreachedPixels<TOps, TVector>(plan, operands.Result, columns, operands.PastCaches),
            Classes = plan.Classes.Length,
            GroupStarts = Pinned.Address(plan.GroupStarts),
            Runs = Pinned.Address(plan.Runs),
            Operands = operands,
            Clears = operands.Own != null && split.Count == 1 && split[0].Vectors <= 2,
            PastCaches = operands.PastCaches && TOps.Width * sizeof(float) == Pinned.LineBytes && columns % TOps.Width == 0 && (nuint)operands.Result % Pinned.LineBytes == 0,
        });
    }

    private struct Job : ISplitJob
    {
        public int Shares;
        public int Batches;
        public PanelSplit Split;

        /// <summary>Panels of a batch; all have as many, since threads share batches out by their number.</summary>
        public int Together;
        public int Terms;
        public int Groups;
        public int Classes;
        public int* GroupStarts;
        public UnreachedPixels<TOps, TVector> Unreached;
        public GatherRun* Runs;
        public GatherOperands Operands;

        /// <summary>Whether tiles store past the caches: each vector is a whole line, so that memory need not merge parts of one.</summary>
        public bool PastCaches;

        /// <summary>Whether tiles clear pixels beside their arithmetic: a pixel is one vector or two.</summary>
        public bool Clears;

        /// <summary>An item is a thread's share.</summary>
        public readonly void Run(int first, int end) => RunGroups(FirstOf(first), FirstOf(end));

        /// <summary>Where a share begins, so that all have as many taps: at strides above 1 positions of an input gradient differ by a factor of four.</summary>
        private readonly int FirstOf(int share)
        {
            var taps = 0L;
            for (var positions = 0; positions < Classes; positions++)
                taps += TapsOf(positions);
            if (taps == 0)
                return (int)((long)Batches * Groups * share / Shares);
            var before = taps * Batches * share / Shares;
            var (batch, left, next) = ((int)(before / taps), before % taps, 0);
            for (; left >= TapsOf(next); next++)
                left -= TapsOf(next);
            return batch * Groups + GroupStarts[next] + (int)(left / TapsOfGroup(next));
        }

        private readonly long TapsOf(int positions) => (GroupStarts[positions + 1] - GroupStarts[positions]) * (long)TapsOfGroup(positions);

        private readonly int TapsOfGroup(int positions) => Math.Max(Runs[positions].TapRows * Runs[positions].TapColumns, 1);

        /// <summary>The groups of a batch of panels come one after another, class by class, then those of the next batch.</summary>
        private readonly void RunGroups(int first, int end)
        {
            while (first < end)
            {
                var (batch, group) = (first / Groups, first % Groups);
                var last = Math.Min(group + end - first, Groups);
                first += last - group;
                if (GroupStarts[Classes] == 0)
                    Clear(batch * Together, Unreached.Share(group, Groups), Unreached.Share(last, Groups));
                for (var positions = 0; positions < Classes; positions++)
                {
                    var classEnd = Math.Min(GroupStarts[positions + 1], last);
                    if (group >= classEnd)
                        continue;
                    RunClass(batch * Together, positions, (group - GroupStarts[positions]) * GatherPlan.Group, (classEnd - GroupStarts[positions]) * GatherPlan.Group);
                    group = classEnd;
                }
            }

            // Other threads may see what was stored past the caches later than what is stored after it.
            if (Sse.IsSupported)
                Sse.StoreFence();
        }

        [SkipLocalsInit]
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void RunClass(int firstPanel, int positions, int first, int end)
        {
            ref readonly var run = ref Runs[positions];
            end = Math.Min(end, run.Positions);
            var endPanel = Math.Min(firstPanel + Together, Split.Count);
            var copied = TTile.Rows(Split[0].Vectors) > CacheWays && RowsCollide(run);
            var sweep = copied ? FewestRows : Math.Clamp(SweepBytes / (Math.Max(Terms, 1) * sizeof(float)) / GatherPlan.Group * GatherPlan.Group, FewestRows, MostRows);
            var copies = stackalloc float[copied ? sweep * CopyStride : 0];
            var places = stackalloc int[sweep + 2 * GatherPlan.Group];
            for (var row = 0; row < sweep + 2 * GatherPlan.Group; row++)
                places[row] = Math.Min(row, sweep - 1) * CopyStride;
            var addends = stackalloc float[sweep + GatherPlan.Group];
            var memory = stackalloc float[TileCall.TotalsLength];
            new Span<float>(memory, TileCall.TotalsLength).Clear();
            var call = new TileCall { RowStride = 1, RowAddends = addends, PastCaches = PastCaches && run.ChunkCount == 1, Totals = Workspace.Aligned(memory) };
            for (; first < end; first += sweep)
            {
                var endSweep = Math.Min(first + sweep, end);
                if (Operands.LaneAddends != null)
                    FindAddends(run, first, endSweep, addends);
                call.Cleared = Unreached.Share(GroupStarts[positions] + first / GatherPlan.Group, Groups);
                var endCleared = Unreached.Share(GroupStarts[positions] + (endSweep + GatherPlan.Group - 1) / GatherPlan.Group, Groups);
                for (var chunk = 0; chunk < run.ChunkCount; chunk++)
                {
                    call.Rows = Operands.Source;
                    call.Segments = run.Segments + run.Chunks[chunk].FirstSegment;
                    call.SegmentCount = run.Chunks[chunk].Segments;
                    call.Accumulate = chunk > 0;
                    call.ClearedCount = call.PastCaches && Clears ? ClearedBeside(endCleared - call.Cleared, endSweep - first, run) : 0;
                    if (copied)
                    {
                        CopyRows(call.Segments, call.SegmentCount, run.Sources + first, endSweep - first, copies);
                        call.Rows = copies - call.Segments->Offset;
                    }

                    for (var panel = firstPanel; panel < endPanel; panel++)
                        RunTiles(Split[panel], positions, ref call, copied ? places : null, first, endSweep);
                }

                if (call.Cleared < endCleared)
                    Clear(firstPanel, call.Cleared, endCleared);
            }
        }

        /// <summary>What the rows of a sweep start at, and those of a last tile beyond it.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void FindAddends(in GatherRun run, int first, int end, float* addends)
        {
            if (Operands.RowAddends == null)
            {
                PixelSums<TOps, TVector>.Sum(Operands.Source, run.Sources + first, end - first, Terms, addends);
            }
            else
            {
                for (var row = 0; row < end - first; row++)
                    addends[row] = Operands.RowAddends[run.Places[first + row]];
            }

            new Span<float>(addends + end - first, GatherPlan.Group).Clear();
        }

        /// <summary>Clears what no tap reaches of a batch's panels, from one pixel to another, a little at a time, so that memory takes it in while tiles go on.</summary>
        private readonly void Clear(int firstPanel, int* place, int* end) =>
            Unreached.Clear(Split[firstPanel], Split[Math.Min(firstPanel + Together, Split.Count) - 1], place, end);

        /// <summary>How many of a sweep's pixels each of its whole tiles can clear beside its arithmetic, all tiles as many.</summary>
        private readonly nint ClearedBeside(long pixels, int positions, in GatherRun run)
        {
            var tiles = positions / TTile.Rows(Split[0].Vectors);
            return tiles == 0 ? 0 : (nint)Math.Min(pixels / tiles, run.Segments->Length);
        }

        /// <summary>A panel's tiles of a sweep; the call says which terms.</summary>
        /// <param name="panel">The panel.</param>
        /// <param name="positions">Number of the class.</param>
        /// <param name="call">Has rows, terms and totals of the chunk, and what the sweep's rows start at; the rest is set here.</param>
        /// <param name="copies">Where each row of the sweep was copied to, or null where rows are read where they lie.</param>
        /// <param name="first">The sweep's first position.</param>
        /// <param name="end">Behind its last position.</param>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void RunTiles(Panel panel, int positions, ref TileCall call, int* copies, int first, int end)
        {
            ref readonly var run = ref Runs[positions];
            var tileRows = TTile.Rows(panel.Vectors);
            var offsets = copies == null ? run.Sources + first : copies;
            var addends = call.RowAddends;
            call.Panel = Operands.Packed + (long)panel.First * Terms;
            call.PanelStride = panel.Vectors * TOps.Width;
            call.Output = Operands.Result + panel.First;
            call.Own = Operands.Own == null ? null : Operands.Own + panel.First;
            call.LastLanes = panel.LastLanes;
            call.LaneAddends = call.Accumulate || Operands.LaneAddends == null ? null : Operands.LaneAddends + (long)positions * Split.PaddedColumns + panel.First;
            if (TTile.Vectors == 1)
            {
                // The last sweep asks for nothing new.
                var later = Math.Min(end, run.Positions - (end - first));
                call.LaterSource = panel.First == 0 ? Operands.Source : null;
                call.LaterRows = run.Sources + later;
                call.LaterOutputs = call.PastCaches ? null : run.Results + later;
                call.RowDistance = run.Positions > 1 ? run.Sources[1] - run.Sources[0] : Terms;
            }

            var rows = TTile.GoesOn ? end - first : tileRows;
            for (var p = first; p < end; p += rows)
            {
                call.RowOffsets = offsets + p - first;
                call.OutputOffsets = run.Results + p;
                call.RowAddends = addends + p - first;
                call.ValidRows = Math.Min(rows, end - p);
                TTile.Run(panel.Vectors, call);
                call.Cleared += call.ValidRows / tileRows * call.ClearedCount;
            }

            call.RowAddends = addends;
        }

        /// <summary>Whether neighbouring rows of a tile, each a single run of terms, share the sets of the first-level cache.</summary>
        private static bool RowsCollide(in GatherRun run) =>
            run.TapRows * run.TapColumns == 1 && run.Positions > 1 && (run.Sources[1] - run.Sources[0]) % CacheSpan == 0;

        /// <summary>Copies what some positions read of a chunk to rows that do not collide.</summary>
        private readonly void CopyRows(TileSegment* segments, int count, int* sources, int positions, float* copies)
        {
            var (start, last) = (segments[0], segments[count - 1]);
            var length = last.Offset + last.Length - start.Offset;
            for (var row = 0; row < positions; row++, copies += CopyStride)
                new ReadOnlySpan<float>(Operands.Source + sources[row] + start.Offset, length).CopyTo(new Span<float>(copies, length));
        }
    }
}
