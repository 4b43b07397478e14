namespace AdderNet.Core.Kernels;

/// <summary>Forward passes: rows are output positions, lanes are filters, terms run over (tap, channel).</summary>
internal static unsafe class ForwardPass<TOps, TVector, TStep>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
    where TStep : struct, IRowStep<TVector>
{
    /// <param name="plan">Plan of the shape.</param>
    /// <param name="x">[N, H, W, C].</param>
    /// <param name="filters">Canonical [T, C, kh, kw].</param>
    /// <param name="y">[P, T], overwritten.</param>
    /// <param name="withSums">Whether the sums of inputs and of filters are added (adder layers).</param>
    /// <param name="threads">Threads, scratch memory and plans.</param>
    public static void Run(ConvolutionPlan plan, float* x, float* filters, float* y, bool withSums, ComputeThreads threads)
    {
        var shape = plan.Shape;
        var split = new PanelSplit(shape.T, TOps.Width, TOps.TileVectors);
        var padded = InputPadding.Prepare(plan, x, threads);
        var filterSums = withSums ? threads.Workspace.Take<float>(WorkspaceSlot.FilterSums, split.PaddedColumns) : null;
        var packed = FilterPacking.ByFilter<TOps, TVector>(plan, filters, filterSums, threads);
        var inputSums = withSums ? InputSums.Prepare<TOps, TVector>(plan, padded, threads) : null;
        var groups = (shape.Positions + ConvolutionPlan.TableSlack - 1) / ConvolutionPlan.TableSlack;
        fixed (int* starts = plan.Terms.Starts)
        {
            threads.Split(split.Count * groups, new Job
            {
                Shape = shape,
                Groups = groups,
                Blocks = plan.Terms.Count,
                Starts = starts,
                Segments = Pinned.Address(plan.Terms.Segments),
                RowOffsets = Pinned.Address(plan.RowOffsets),
                OutputOffsets = Pinned.Address(plan.OutputOffsets),
                Input = padded,
                Packed = packed,
                Output = y,
                FilterSums = filterSums,
                InputSums = inputSums,
            });
        }
    }

    private struct Job : ISplitJob
    {
        public ConvolutionShape Shape;
        public int Groups;
        public int Blocks;
        public int* Starts;
        public TileSegment* Segments;
        public int* RowOffsets;
        public int* OutputOffsets;
        public float* Input;
        public float* Packed;
        public float* Output;
        public float* FilterSums;
        public float* InputSums;

        /// <summary>An item is a panel's dozen of positions; panels come one after another.</summary>
        public readonly void Run(int first, int end)
        {
            var split = new PanelSplit(Shape.T, TOps.Width, TOps.TileVectors);
            for (var item = first; item < end;)
            {
                var group = item % Groups;
                var count = Math.Min(end - item, Groups - group);
                Sweep(split[item / Groups], group * ConvolutionPlan.TableSlack, Math.Min((group + count) * ConvolutionPlan.TableSlack, Shape.Positions));
                item += count;
            }
        }

        private readonly void Sweep(Panel panel, int first, int end)
        {
            var tileRows = RowTile<TOps, TVector, TStep>.Rows(panel.Vectors);
            var call = new TileCall
            {
                Rows = Input,
                Panel = Packed + (long)panel.First * Shape.FilterElements,
                PanelStride = panel.Vectors * TOps.Width,
                Output = Output + panel.First,
                LastLanes = panel.LastLanes,
                LaneAddends = FilterSums == null ? null : FilterSums + panel.First,
            };
            for (var block = 0; block < Blocks; block++)
            {
                call.Accumulate = block > 0;
                call.Segments = Segments + Starts[block];
                call.SegmentCount = Starts[block + 1] - Starts[block];
                for (var p = first; p < end; p += tileRows)
                {
                    call.RowOffsets = RowOffsets + p;
                    call.OutputOffsets = OutputOffsets + p;
                    call.RowAddends = InputSums + p;
                    call.ValidRows = Math.Min(tileRows, end - p);
                    RowTile<TOps, TVector, TStep>.Run(panel.Vectors, call);
                }
            }
        }
    }
}
