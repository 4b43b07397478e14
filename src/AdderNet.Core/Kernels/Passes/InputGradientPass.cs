namespace AdderNet.Core.Kernels;

/// <summary>
/// Input gradients, gathered: rows are input positions that meet the same taps, lanes are channels, terms run over
/// (tap, filter), so each element of dX is written once.
/// </summary>
internal static unsafe class InputGradientPass<TOps, TVector, TTile>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
    where TTile : struct, ITile
{
    /// <param name="plan">Plan of the shape.</param>
    /// <param name="x">[N, H, W, C] where the step wants the input, else null.</param>
    /// <param name="filters">Canonical [T, C, kh, kw].</param>
    /// <param name="g">[P, T].</param>
    /// <param name="dx">[N, H, W, C], overwritten.</param>
    /// <param name="threads">Threads, scratch memory and plans.</param>
    public static void Run(ConvolutionPlan plan, float* x, float* filters, float* g, float* dx, ComputeThreads threads)
    {
        var shape = plan.Shape;
        var split = new PanelSplit(shape.C, TOps.Width, TOps.TileVectors);
        var packed = FilterPacking.ByChannel<TOps, TVector>(shape, filters, threads);
        foreach (var positions in plan.InputGradient.Classes)
        {
            var groups = (positions.Positions + ConvolutionPlan.TableSlack - 1) / ConvolutionPlan.TableSlack;
            fixed (int* starts = positions.Terms.Starts)
            {
                threads.Split(split.Count * groups, new Job
                {
                    Channels = shape.C,
                    FilterTerms = shape.KernelHeight * shape.KernelWidth * shape.T,
                    Positions = positions.Positions,
                    Groups = groups,
                    Blocks = positions.Terms.Count,
                    Starts = starts,
                    Segments = Pinned.Address(positions.Terms.Segments),
                    GradientOffsets = Pinned.Address(positions.GradientOffsets),
                    InputOffsets = Pinned.Address(positions.InputOffsets),
                    Gradient = g,
                    Packed = packed,
                    Input = x,
                    Output = dx,
                });
            }
        }
    }

    private struct Job : ISplitJob
    {
        public int Channels;
        public int FilterTerms;
        public int Positions;
        public int Groups;
        public int Blocks;
        public int* Starts;
        public TileSegment* Segments;
        public int* GradientOffsets;
        public int* InputOffsets;
        public float* Gradient;
        public float* Packed;
        public float* Input;
        public float* Output;

        /// <summary>An item is a panel's dozen of positions; panels come one after another.</summary>
        public readonly void Run(int first, int end)
        {
            var split = new PanelSplit(Channels, TOps.Width, TOps.TileVectors);
            for (var item = first; item < end;)
            {
                var group = item % Groups;
                var count = Math.Min(end - item, Groups - group);
                Sweep(split[item / Groups], group * ConvolutionPlan.TableSlack, Math.Min((group + count) * ConvolutionPlan.TableSlack, Positions));
                item += count;
            }
        }

        private readonly void Sweep(Panel panel, int first, int end)
        {
            if (Blocks == 0)
            {
                Clear(panel, first, end);
                return;
            }

            var tileRows = TTile.Rows(panel.Vectors);
            var call = new TileCall
            {
                Rows = Gradient,
                Panel = Packed + (long)panel.First * FilterTerms,
                PanelStride = panel.Vectors * TOps.Width,
                Output = Output + panel.First,
                Own = Input == null ? null : Input + panel.First,
                LastLanes = panel.LastLanes,
            };
            for (var block = 0; block < Blocks; block++)
            {
                call.Accumulate = block > 0;
                call.Segments = Segments + Starts[block];
                call.SegmentCount = Starts[block + 1] - Starts[block];
                for (var p = first; p < end; p += tileRows)
                {
                    call.RowOffsets = GradientOffsets + p;
                    call.OutputOffsets = InputOffsets + p;
                    call.ValidRows = Math.Min(tileRows, end - p);
                    TTile.Run(panel.Vectors, call);
                }
            }
        }

        /// <summary>Positions that no tap meets (a stride that skips them) have no gradient.</summary>
        private readonly void Clear(Panel panel, int first, int end)
        {
            var lanes = (panel.Vectors - 1) * TOps.Width + panel.LastLanes;
            for (var p = first; p < end; p++)
                new Span<float>(Output + InputOffsets[p] + panel.First, lanes).Clear();
        }
    }
}
