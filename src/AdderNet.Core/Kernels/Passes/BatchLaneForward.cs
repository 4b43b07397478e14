namespace AdderNet.Core.Kernels;

/// <summary>The forward pass with samples as lanes and filters as rows.</summary>
internal static unsafe class BatchLaneForward<TOps, TVector, TStep>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
    where TStep : struct, IRowStep<TVector>
{
    /// <summary>As <see cref="ForwardPass{TOps, TVector, TStep}"/>.</summary>
    public static void Run(ConvolutionPlan plan, float* x, float* filters, float* y, bool withSums, ComputeThreads threads)
    {
        var shape = plan.Shape;
        var pixels = shape.OutHeight * shape.OutWidth;
        var lanes = new PanelSplit(shape.N, TOps.Width, TOps.TileVectors).PaddedColumns;
        var padded = InputPadding.Prepare(plan, x, threads);
        var input = BatchLanes.Spread(WorkspaceSlot.BatchInput, padded, shape.N, plan.PaddedLength / shape.N, lanes, threads);
        var ordered = FilterGradientEnd.OrderFilters(shape, filters, shape.FilterElements, threads);
        var filterSums = threads.Workspace.Take<float>(WorkspaceSlot.FilterSums, shape.T + ConvolutionPlan.TableSlack);
        for (var t = 0; t < shape.T; t++)
        {
            var sum = 0f;
            for (var k = 0; k < shape.FilterElements; k++)
                sum += ordered[t * shape.FilterElements + k];
            filterSums[t] = sum;
        }

        var inputSums = withSums
            ? BatchLanes.Spread(WorkspaceSlot.BatchSums, InputSums.Prepare<TOps, TVector>(plan, padded, threads), shape.N, pixels, lanes, threads)
            : null;
        var output = threads.Workspace.Take<float>(WorkspaceSlot.BatchOutput, (long)pixels * shape.T * lanes);
        fixed (int* starts = plan.Terms.Starts)
        {
            threads.Split(pixels, new Job
            {
                Shape = shape,
                PaddedWidth = plan.PaddedWidth,
                Lanes = lanes,
                Blocks = plan.Terms.Count,
                Starts = starts,
                Segments = Pinned.Address(plan.Terms.Exchanged),
                Input = input,
                Filters = ordered,
                FilterSums = filterSums,
                InputSums = inputSums,
                Output = output,
            });
        }

        BatchLanes.Gather(output, shape.N, pixels * shape.T, lanes, y, threads);
    }

    private struct Job : ISplitJob
    {
        public ConvolutionShape Shape;
        public int PaddedWidth;
        public int Lanes;
        public int Blocks;
        public int* Starts;
        public TileSegment* Segments;
        public float* Input;
        public float* Filters;
        public float* FilterSums;
        public float* InputSums;
        public float* Output;

        /// <summary>An item is an output pixel of all samples.</summary>
        public readonly void Run(int first, int end)
        {
            var split = new PanelSplit(Shape.N, TOps.Width, TOps.TileVectors);
            var rowOffsets = stackalloc int[ConvolutionPlan.TableSlack];
            var outputOffsets = stackalloc int[ConvolutionPlan.TableSlack];
            for (var row = 0; row < ConvolutionPlan.TableSlack; row++)
            {
                rowOffsets[row] = row * Shape.FilterElements;
                outputOffsets[row] = row * Lanes;
            }

            var call = new TileCall { RowOffsets = rowOffsets, OutputOffsets = outputOffsets, PanelStride = Lanes, LastLanes = TOps.Width };
            for (var pixel = first; pixel < end; pixel++)
            {
                var window = ((long)(pixel / Shape.OutWidth) * PaddedWidth + pixel % Shape.OutWidth) * Shape.Stride * Shape.C;
                for (var index = 0; index < split.Count; index++)
                {
                    var panel = split[index];
                    var tileRows = RowTile<TOps, TVector, TStep>.Rows(panel.Vectors);
                    call.Panel = Input + window * Lanes + panel.First;
                    call.LaneAddends = InputSums == null ? null : InputSums + (long)pixel * Lanes + panel.First;
                    for (var t = 0; t < Shape.T; t += tileRows)
                    {
                        call.Rows = Filters + (long)t * Shape.FilterElements;
                        call.RowAddends = FilterSums + t;
                        call.Output = Output + ((long)pixel * Shape.T + t) * Lanes + panel.First;
                        call.ValidRows = Math.Min(tileRows, Shape.T - t);
                        for (var block = 0; block < Blocks; block++)
                        {
                            call.Accumulate = block > 0;
                            call.Segments = Segments + Starts[block];
                            call.SegmentCount = Starts[block + 1] - Starts[block];
                            RowTile<TOps, TVector, TStep>.Run(panel.Vectors, call);
                        }
                    }
                }
            }
        }
    }
}
