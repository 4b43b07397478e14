using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace AdderNet.Core.Kernels;

/// <summary>What a gather reads and writes; addresses as a <see cref="GatherPlan"/> counts.</summary>
internal unsafe struct GatherOperands
{
    /// <summary>What the taps read: inputs for outputs, output gradients for input gradients.</summary>
    public float* Source;

    /// <summary>Filters, panel by panel of columns, [term][lane].</summary>
    public float* Packed;

    /// <summary>Each result's own operand where the step wants one, else null.</summary>
    public float* Own;

    public float* Result;

    /// <summary>Where sums start: for each class of positions [padded columns], or null for +0.</summary>
    public float* LaneAddends;

    /// <summary>For each pixel of the result, added to <see cref="LaneAddends"/>.</summary>
    public float* RowAddends;
}

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
    /// <summary>Positions that the panels of a batch take in turn, while what they read is in the second-level cache.</summary>
    private const int Sweep = 4 * GatherPlan.Group;

    /// <summary>Bytes of the panels of a batch, which stay in the second-level cache while positions pass by.</summary>
    private const int BatchBytes = 384 << 10;

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
        var together = Math.Clamp(BatchBytes / (terms * split.WidestPanel * sizeof(float)), 1, split.Count);
        threads.Split((split.Count + together - 1) / together * plan.Groups, new Job
        {
            Split = split,
            Together = together,
            Terms = terms,
            Groups = plan.Groups,
            GroupStarts = Pinned.Address(plan.GroupStarts),
            Runs = Pinned.Address(plan.Runs),
            Operands = operands,
        });
    }

    private struct Job : ISplitJob
    {
        public PanelSplit Split;
        public int Together;
        public int Terms;
        public int Groups;
        public int* GroupStarts;
        public GatherRun* Runs;
        public GatherOperands Operands;

        /// <summary>An item is a batch's group of positions; batches of panels come one after another, within them classes.</summary>
        public readonly void Run(int first, int end)
        {
            while (first < end)
            {
                var (batch, group) = (first / Groups, first % Groups);
                var last = Math.Min(group + end - first, Groups);
                first += last - group;
                for (var positions = 0; group < last; positions++)
                {
                    var classEnd = Math.Min(GroupStarts[positions + 1], last);
                    if (group >= classEnd)
                        continue;
                    RunClass(batch * Together, positions, (group - GroupStarts[positions]) * GatherPlan.Group, (classEnd - GroupStarts[positions]) * GatherPlan.Group);
                    group = classEnd;
                }
            }
        }

        [SkipLocalsInit]
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void RunClass(int firstPanel, int positions, int first, int end)
        {
            ref readonly var run = ref Runs[positions];
            end = Math.Min(end, run.Positions);
            var endPanel = Math.Min(firstPanel + Together, Split.Count);
            if (run.Chunks[0].Segments == 0 && Operands.LaneAddends == null)
            {
                Clear(Split[firstPanel].First, Split[endPanel - 1], run.Results, first, end);
                return;
            }

            var copied = TTile.Rows(Split[0].Vectors) > CacheWays && RowsCollide(run);
            var copies = stackalloc float[copied ? Sweep * CopyStride : 0];
            var places = stackalloc int[Sweep + 2 * GatherPlan.Group];
            for (var row = 0; row < Sweep + 2 * GatherPlan.Group; row++)
                places[row] = Math.Min(row, Sweep - 1) * CopyStride;
            var addends = stackalloc float[Sweep + GatherPlan.Group];
            for (; first < end; first += Sweep)
            {
                var endSweep = Math.Min(first + Sweep, end);
                for (var row = 0; Operands.RowAddends != null && row < Sweep + GatherPlan.Group; row++)
                    addends[row] = Operands.RowAddends[run.Places[Math.Min(first + row, run.Positions)]];
                for (var chunk = 0; chunk < run.ChunkCount; chunk++)
                {
                    var rows = Operands.Source;
                    var offsets = run.Sources + first;
                    if (copied)
                    {
                        var start = run.Segments[run.Chunks[chunk].FirstSegment].Offset;
                        CopyRows(run.Segments + run.Chunks[chunk].FirstSegment, run.Chunks[chunk].Segments, run.Sources + first, endSweep - first, copies);
                        rows = copies - start;
                        offsets = places;
                    }

                    for (var panel = firstPanel; panel < endPanel; panel++)
                        RunTiles(Split[panel], positions, chunk, rows, offsets, addends, first, endSweep);
                }
            }
        }

        /// <summary>Writes what no tap reaches: at strides above 1 it may be most of an input gradient.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Clear(int column, Panel last, int* results, int first, int end)
        {
            var width = (last.Vectors - 1) * TOps.Width + last.First - column;
            var zero = TOps.Broadcast(0f);
            for (var p = first; p < end; p++)
            {
                var result = Operands.Result + results[p] + column;
                for (var lane = 0; lane < width; lane += TOps.Width)
                    TOps.Store(result + lane, zero);
                if (last.LastLanes == TOps.Width)
                    TOps.Store(result + width, zero);
                else
                    TOps.StorePart(result + width, zero, last.LastLanes);
            }
        }

        [SkipLocalsInit]
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void RunTiles(Panel panel, int positions, int chunk, float* rows, int* offsets, float* addends, int first, int end)
        {
            ref readonly var run = ref Runs[positions];
            var tileRows = TTile.Rows(panel.Vectors);
            var memory = stackalloc float[6 * 4 * 16 + 16];
            var call = new TileCall
            {
                Rows = rows,
                RowStride = 1,
                Segments = run.Segments + run.Chunks[chunk].FirstSegment,
                SegmentCount = run.Chunks[chunk].Segments,
                Panel = Operands.Packed + (long)panel.First * Terms,
                PanelStride = panel.Vectors * TOps.Width,
                Output = Operands.Result + panel.First,
                Own = Operands.Own == null ? null : Operands.Own + panel.First,
                LastLanes = panel.LastLanes,
                Totals = TTile.KeepsTotals || run.Chunks[chunk].Blocks > 1 ? Workspace.Aligned(memory) : null,
                Accumulate = chunk > 0,
                LaneAddends = chunk > 0 || Operands.LaneAddends == null ? null : Operands.LaneAddends + (long)positions * Split.PaddedColumns + panel.First,
            };
            for (var p = first; p < end; p += tileRows)
            {
                call.RowOffsets = offsets + p - first;
                call.OutputOffsets = run.Results + p;
                call.RowAddends = addends + p - first;
                if (TTile.Vectors == 1)
                    Ahead(run, call.Segments, call.SegmentCount, Math.Min(p + Sweep, run.Positions), panel.First, panel.First == 0);
                call.ValidRows = Math.Min(tileRows, end - p);
                TTile.Run(panel.Vectors, call);
            }
        }

        /// <summary>Asks for what a tile a sweep later reads and writes.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Ahead(in GatherRun run, TileSegment* segments, int count, int first, int column, bool withRows)
        {
            if (!Sse.IsSupported)
                return;
            for (var row = first; row < first + GatherPlan.Group; row++)
                Sse.Prefetch0(Operands.Result + run.Results[row] + column);
            if (!withRows)
                return;
            var distance = run.Positions > 1 ? run.Sources[1] - run.Sources[0] : 16;
            for (var segment = segments; segment < segments + count; segment++)
            {
                var length = Math.Min(segment->Length, distance);
                for (var row = first; row < first + GatherPlan.Group; row++)
                {
                    float* source = Operands.Source + run.Sources[row] + segment->Offset;
                    for (nint k = 0; k < length; k += 16)
                        Sse.Prefetch0(source + k);
                }
            }
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
