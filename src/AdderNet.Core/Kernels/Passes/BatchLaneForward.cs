namespace AdderNet.Core.Kernels;

/// <summary>The forward pass with samples as lanes and filters as rows.</summary>
internal static unsafe class BatchLaneForward<TOps, TVector, TStep>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
    where TStep : struct, IRowStep<TVector>
{
    /// <summary>As <see cref="GatherPass{TOps, TVector, TTile}"/>.</summary>
    public static void Run(ConvolutionPlan plan, float* x, float* filters, float* y, bool withSums, ComputeThreads threads)
    {
        var shape = plan.Shape;
        var pixels = shape.OutHeight * shape.OutWidth;
        var lanes = new PanelSplit(shape.N, TOps.Width, TOps.TileVectors).PaddedColumns;
        var input = BatchLanes.Spread(WorkspaceSlot.BatchInput, x, shape.N, shape.InputLength / shape.N, lanes, threads);
        var ordered = FilterGradientEnd<TOps, TVector>.OrderFilters(shape, filters, shape.FilterElements, threads);
        var paddedFilters = new PanelSplit(shape.T, TOps.Width, TOps.TileVectors).PaddedColumns;
        var filterSums = withSums ? FilterSums<TOps, TVector>.Prepare(plan, FilterPacking<TOps, TVector>.ByFilter(plan, filters, threads), threads) : null;
        var pixelSums = withSums ? BatchLaneSums<TOps, TVector>.OfPixels(shape, input, lanes, threads) : null;
        var output = threads.Workspace.Take<float>(WorkspaceSlot.BatchOutput, (long)pixels * shape.T * lanes);
        for (var i = 0; i < plan.Outputs.Classes.Length; i++)
        {
            // The class lists all samples' positions; lanes are samples, so the first sample's stand for all.
            var positions = plan.Outputs.Runs[i];
            threads.Split(positions.Positions / shape.N, new Job
            {
                Shape = shape,
                Lanes = lanes,
                Positions = positions,
                Input = input,
                Filters = ordered,
                FilterSums = filterSums == null ? null : filterSums + i * paddedFilters,
                TapRows = plan.Outputs.Classes[i].TapRows.Length,
                TapColumns = plan.Outputs.Classes[i].TapColumns.Length,
                PixelSums = pixelSums,
                Output = output,
            });
        }

        BatchLanes.Gather(output, shape.N, pixels * shape.T, lanes, y, threads);
    }

    private struct Job : ISplitJob
    {
        public ConvolutionShape Shape;
        public int Lanes;
        public GatherRun Positions;
        public float* Input;
        public float* Filters;
        public float* FilterSums;
        public int TapRows;
        public int TapColumns;
        public float* PixelSums;
        public float* Output;

        /// <summary>An item is an output pixel of all samples.</summary>
        public readonly void Run(int first, int end)
        {
            var split = new PanelSplit(Shape.N, TOps.Width, TOps.TileVectors);
            var rowOffsets = stackalloc int[2 * GatherPlan.Group];
            var outputOffsets = stackalloc int[2 * GatherPlan.Group];
            var memory = stackalloc float[6 * 4 * 16 + 16];
            var inputSums = stackalloc float[4 * 16];
            for (var row = 0; row < 2 * GatherPlan.Group; row++)
                (rowOffsets[row], outputOffsets[row]) = (row * Shape.FilterElements, row * Lanes);
            var call = new TileCall { RowOffsets = rowOffsets, RowStride = 1, OutputOffsets = outputOffsets, PanelStride = Lanes, LastLanes = TOps.Width };
            for (var item = first; item < end; item++)
            {
                for (var index = 0; index < split.Count; index++)
                {
                    var panel = split[index];
                    var tileRows = RowTile<TOps, TVector, TStep, RunningPanel>.Rows(panel.Vectors);
                    call.Panel = Input + (long)Positions.Sources[item] * Lanes + panel.First;
                    if (PixelSums != null)
                        BatchLaneSums<TOps, TVector>.OfWindow(PixelSums + (long)(Positions.Sources[item] / Shape.C) * Lanes + panel.First, TapRows, TapColumns, (nint)Shape.W * Lanes, Lanes, panel.Vectors, inputSums);
                    for (var t = 0; t < Shape.T; t += tileRows)
                    {
                        call.Rows = Filters + (long)t * Shape.FilterElements;
                        call.RowAddends = FilterSums + t;
                        call.Output = Output + ((long)Positions.Results[item] + t) * Lanes + panel.First;
                        call.ValidRows = Math.Min(tileRows, Shape.T - t);
                        for (var chunk = 0; chunk < Positions.ChunkCount; chunk++)
                        {
                            call.Accumulate = chunk > 0;
                            call.LaneAddends = chunk > 0 || PixelSums == null ? null : inputSums;
                            call.Segments = Positions.Exchanged + Positions.Chunks[chunk].FirstSegment;
                            call.SegmentCount = Positions.Chunks[chunk].Segments;
                            call.Totals = Positions.Chunks[chunk].Blocks > 1 ? Workspace.Aligned(memory) : null;
                            RowTile<TOps, TVector, TStep, RunningPanel>.Run(panel.Vectors, call);
                        }
                    }
                }
            }
        }
    }
}
