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
/// each element is gathered and written once a chunk of terms.
/// </summary>
internal static unsafe class GatherPass<TOps, TVector, TTile>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
    where TTile : struct, ITile
{
    /// <summary>Positions that share a chunk of the panel while it is in the second-level cache.</summary>
    private const int Sweep = 16 * GatherPlan.Group;

    /// <param name="plan">The positions and what they read.</param>
    /// <param name="columns">Channels of the result.</param>
    /// <param name="terms">Terms of a packed filter.</param>
    /// <param name="operands">Operands.</param>
    /// <param name="threads">Threads.</param>
    public static void Run(GatherPlan plan, int columns, int terms, in GatherOperands operands, ComputeThreads threads)
    {
        var split = new PanelSplit(columns, TOps.Width, TOps.TileVectors);
        threads.Split(split.Count * plan.Groups, new Job
        {
            Split = split,
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
        public int Terms;
        public int Groups;
        public int* GroupStarts;
        public GatherRun* Runs;
        public GatherOperands Operands;

        /// <summary>An item is a panel's group of positions; panels come one after another, within them classes.</summary>
        public readonly void Run(int first, int end)
        {
            while (first < end)
            {
                var (panel, group) = (first / Groups, first % Groups);
                var last = Math.Min(group + end - first, Groups);
                first += last - group;
                for (var positions = 0; group < last; positions++)
                {
                    var classEnd = Math.Min(GroupStarts[positions + 1], last);
                    if (group >= classEnd)
                        continue;
                    RunClass(Split[panel], positions, (group - GroupStarts[positions]) * GatherPlan.Group, (classEnd - GroupStarts[positions]) * GatherPlan.Group);
                    group = classEnd;
                }
            }
        }

        private readonly void RunClass(Panel panel, int positions, int first, int end)
        {
            end = Math.Min(end, Runs[positions].Positions);
            for (; first < end; first += Sweep)
                RunSweep(panel, positions, first, Math.Min(first + Sweep, end));
        }

        private readonly void RunSweep(Panel panel, int positions, int first, int end)
        {
            ref readonly var run = ref Runs[positions];
            var tileRows = TTile.Rows(panel.Vectors);
            var memory = stackalloc float[6 * 4 * 16 + 16];
            var rowAddends = stackalloc float[GatherPlan.Group];
            var call = new TileCall
            {
                Rows = Operands.Source,
                RowStride = 1,
                Panel = Operands.Packed + (long)panel.First * Terms,
                PanelStride = panel.Vectors * TOps.Width,
                Output = Operands.Result + panel.First,
                Own = Operands.Own == null ? null : Operands.Own + panel.First,
                LastLanes = panel.LastLanes,
                RowAddends = rowAddends,
            };
            for (var chunk = 0; chunk < run.ChunkCount; chunk++)
            {
                call.Segments = run.Segments + run.Chunks[chunk].FirstSegment;
                call.SegmentCount = run.Chunks[chunk].Segments;
                call.Totals = run.Chunks[chunk].Blocks > 1 ? Workspace.Aligned(memory) : null;
                call.Accumulate = chunk > 0;
                call.LaneAddends = chunk > 0 || Operands.LaneAddends == null ? null : Operands.LaneAddends + (long)positions * Split.PaddedColumns + panel.First;
                for (var p = first; p < end; p += tileRows)
                {
                    call.RowOffsets = run.Sources + p;
                    call.OutputOffsets = run.Results + p;
                    call.ValidRows = Math.Min(tileRows, end - p);
                    if (call.LaneAddends != null)
                    {
                        for (var row = 0; row < tileRows; row++)
                            rowAddends[row] = Operands.RowAddends[run.Places[p + row]];
                    }

                    TTile.Run(panel.Vectors, call);
                }
            }
        }
    }
}
