namespace AdderNet.Core.Kernels;

/// <summary>The adder layer's input gradient with samples as lanes and channels as rows.</summary>
internal static unsafe class BatchLaneInputGradient<TOps, TVector>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
{
    /// <summary>As <see cref="GatherPass{TOps, TVector, TTile}"/>.</summary>
    public static void Run(ConvolutionPlan plan, float* x, float* filters, float* g, float* dx, ComputeThreads threads)
    {
        var shape = plan.Shape;
        var elements = shape.H * shape.W * shape.C;
        var lanes = new PanelSplit(shape.N, TOps.Width, TOps.TileVectors).PaddedColumns;
        var input = BatchLanes.Spread(WorkspaceSlot.BatchInput, x, shape.N, elements, lanes, threads);
        var gradient = BatchLanes.Spread(WorkspaceSlot.BatchGradient, g, shape.N, shape.OutputLength / shape.N, lanes, threads);
        var output = threads.Workspace.Take<float>(WorkspaceSlot.BatchOutput, (long)elements * lanes);
        var ordered = OrderByChannel(plan, filters, threads);
        foreach (var positions in plan.Inputs.Runs)
        {
            // The class lists all samples' positions; lanes are samples, so the first sample's stand for all.
            threads.Split(positions.Positions / shape.N, new Job
            {
                Shape = shape,
                Lanes = lanes,
                Positions = positions,
                Gradient = gradient,
                Filters = ordered,
                Input = input,
                Output = output,
            });
        }

        BatchLanes.Gather(output, shape.N, elements, lanes, dx, threads);
    }

    /// <summary>[T, C, taps] to [C, (tap rank, filter)], with room for the rows that tiles read beyond the last channel.</summary>
    private static float* OrderByChannel(ConvolutionPlan plan, float* filters, ComputeThreads threads)
    {
        var shape = plan.Shape;
        var taps = shape.KernelHeight * shape.KernelWidth;
        var ordered = threads.Workspace.Take<float>(WorkspaceSlot.OrderedFilters, (long)(shape.C + GatherPlan.Group) * taps * shape.T);
        for (var c = 0; c < shape.C; c++)
            BlockTranspose.Run(filters + c * taps, shape.FilterElements, shape.T, taps, ordered + (long)c * taps * shape.T, shape.T, Pinned.Address(plan.TapRanks));
        return ordered;
    }

    private struct Job : ISplitJob
    {
        public ConvolutionShape Shape;
        public int Lanes;
        public GatherRun Positions;
        public float* Gradient;
        public float* Filters;
        public float* Input;
        public float* Output;

        /// <summary>An item is an input pixel of all samples.</summary>
        public readonly void Run(int first, int end)
        {
            var terms = Shape.KernelHeight * Shape.KernelWidth * Shape.T;
            var split = new PanelSplit(Shape.N, TOps.Width, TOps.TileVectors);
            var rowOffsets = stackalloc int[2 * GatherPlan.Group];
            var outputOffsets = stackalloc int[2 * GatherPlan.Group];
            var memory = stackalloc float[TileCall.TotalsLength];
            new Span<float>(memory, TileCall.TotalsLength).Clear();
            var call = new TileCall { RowOffsets = rowOffsets, RowStride = 1, OutputOffsets = outputOffsets, PanelStride = Lanes, LastLanes = TOps.Width, Totals = Workspace.Aligned(memory) };
            for (var row = 0; row < 2 * GatherPlan.Group; row++)
                rowOffsets[row] = row * terms;
            for (var item = first; item < end; item++)
            {
                for (var index = 0; index < split.Count; index++)
                {
                    var panel = split[index];
                    var tileRows = OwnTile<TOps, TVector, ExchangedClampStep<TOps, TVector>>.Rows(panel.Vectors);
                    call.Panel = Gradient + (long)Positions.Sources[item] * Lanes + panel.First;
                    for (var c = 0; c < Shape.C; c += tileRows)
                    {
                        var place = ((long)Positions.Results[item] + c) * Lanes + panel.First;
                        call.ValidRows = Math.Min(tileRows, Shape.C - c);
                        for (var row = 0; row < 2 * GatherPlan.Group; row++)
                            outputOffsets[row] = Math.Min(row, call.ValidRows - 1) * Lanes;
                        call.Rows = Filters + (long)c * terms;
                        call.Own = Input + place;
                        call.Output = Output + place;
                        for (var chunk = 0; chunk < Positions.ChunkCount; chunk++)
                        {
                            call.Accumulate = chunk > 0;
                            call.Segments = Positions.Exchanged + Positions.Chunks[chunk].FirstSegment;
                            call.SegmentCount = Positions.Chunks[chunk].Segments;
                            OwnTile<TOps, TVector, ExchangedClampStep<TOps, TVector>>.Run(panel.Vectors, call);
                        }
                    }
                }
            }
        }
    }
}
