using System.Runtime.CompilerServices;

namespace AdderNet.Core.Kernels;

/// <summary>
/// The forward pass with samples as lanes and filters as rows: a few rows of the outputs of a tile's width of samples at a time,
/// so that what is transposed for them stays in the second-level cache.
/// </summary>
internal static unsafe class BatchLaneForward<TOps, TVector, TStep>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
    where TStep : struct, IRowStep<TVector>
{
    /// <summary>Bytes that a band's transposed inputs should take at most.</summary>
    private const int BandBytes = 640 << 10;

    /// <summary>As <see cref="GatherPass{TOps, TVector, TTile}"/>.</summary>
    public static void Run(ConvolutionPlan plan, float* x, float* filters, float* y, bool withSums, ComputeThreads threads)
    {
        var shape = plan.Shape;
        var lanes = new PanelSplit(Math.Min(shape.N, TOps.TileVectors * TOps.Width), TOps.Width, TOps.TileVectors).PaddedColumns;
        var rowBytes = shape.W * shape.C * lanes * sizeof(float);
        var bandRows = Math.Clamp((BandBytes / rowBytes - shape.KernelHeight) / shape.Stride + 1, 1, shape.OutHeight);
        var inputRows = Math.Min((bandRows - 1) * shape.Stride + shape.KernelHeight, shape.H);
        var shares = threads.Count;
        var job = new Job
        {
            Shape = shape,
            Lanes = lanes,
            BandRows = bandRows,
            Bands = (shape.OutHeight + bandRows - 1) / bandRows,
            Shares = shares,
            PaddedFilters = new PanelSplit(shape.T, TOps.Width, TOps.TileVectors).PaddedColumns,
            Runs = Pinned.Address(plan.Outputs.Runs),
            RowClasses = Pinned.Address(plan.Outputs.RowClasses),
            ColumnClasses = Pinned.Address(plan.Outputs.ColumnClasses),
            ClassColumns = plan.Outputs.ClassColumns,
            X = x,
            Y = y,
            Filters = FilterGradientEnd<TOps, TVector>.OrderFilters(shape, filters, shape.FilterElements, threads),
            FilterSums = withSums ? FilterSums<TOps, TVector>.Prepare(plan, FilterPacking<TOps, TVector>.ByFilter(plan, filters, threads), threads) : null,
            InputLength = inputRows * shape.W * shape.C * lanes,
            SumLength = inputRows * shape.W * lanes,
            OutputLength = shape.OutWidth * shape.T * lanes,
        };
        job.Inputs = threads.Workspace.Take<float>(WorkspaceSlot.BatchInput, (long)shares * job.InputLength);
        job.Sums = threads.Workspace.Take<float>(WorkspaceSlot.BatchSums, (long)shares * job.SumLength);
        job.Outputs = threads.Workspace.Take<float>(WorkspaceSlot.BatchOutput, (long)shares * job.OutputLength);
        threads.Split(shares, job);
    }

    private struct Job : ISplitJob
    {
        public ConvolutionShape Shape;
        public int Lanes;
        public int BandRows;
        public int Bands;
        public int Shares;
        public int PaddedFilters;
        public GatherRun* Runs;
        public int* RowClasses;
        public int* ColumnClasses;
        public int ClassColumns;
        public float* X;
        public float* Y;
        public float* Filters;
        public float* FilterSums;
        public float* Inputs;
        public int InputLength;
        public float* Sums;
        public int SumLength;
        public float* Outputs;
        public int OutputLength;

        /// <summary>An item is a thread's share of (samples of one tile, band of output rows).</summary>
        public readonly void Run(int first, int end)
        {
            for (var share = first; share < end; share++)
            {
                var units = (long)((Shape.N + Lanes - 1) / Lanes) * Bands;
                for (var unit = (int)(units * share / Shares); unit < (int)(units * (share + 1) / Shares); unit++)
                    RunBand(share, unit / Bands * Lanes, unit % Bands * BandRows);
            }
        }

        private readonly void RunBand(int share, int sample, int firstRow)
        {
            var samples = Math.Min(Lanes, Shape.N - sample);
            var endRow = Math.Min(firstRow + BandRows, Shape.OutHeight);
            var top = Math.Max(firstRow * Shape.Stride - Shape.Padding, 0);
            var bottom = Math.Min((endRow - 1) * Shape.Stride - Shape.Padding + Shape.KernelHeight, Shape.H);
            var input = Inputs + (long)share * InputLength;
            var sums = Sums + (long)share * SumLength;
            var output = Outputs + (long)share * OutputLength;
            if (top < bottom)
            {
                nint each = Shape.H * Shape.W * Shape.C;
                BlockTranspose.Run(X + sample * each + top * Shape.W * Shape.C, each, samples, (bottom - top) * Shape.W * Shape.C, input, Lanes);
                if (FilterSums != null)
                    BatchLaneSums<TOps, TVector>.OfPixels(input, (bottom - top) * Shape.W, Shape.C, Lanes, sums);
            }

            for (var row = firstRow; row < endRow; row++)
            {
                RunRow(row, top, samples, input, sums, output);
                nint each = Shape.OutHeight * Shape.OutWidth * Shape.T;
                BlockTranspose.Run(output, Lanes, Shape.OutWidth * Shape.T, samples, Y + sample * each + row * Shape.OutWidth * Shape.T, each);
            }
        }

        /// <summary>One row of outputs of all lanes, as [column, filter, lane].</summary>
        [SkipLocalsInit]
        private readonly void RunRow(int row, int top, int samples, float* input, float* sums, float* output)
        {
            var split = new PanelSplit(samples, TOps.Width, TOps.TileVectors);
            var rowOffsets = stackalloc int[2 * GatherPlan.Group];
            var outputOffsets = stackalloc int[2 * GatherPlan.Group];
            var memory = stackalloc float[TileCall.TotalsLength];
            var inputSums = stackalloc float[4 * 16];
            for (var i = 0; i < 2 * GatherPlan.Group; i++)
                (rowOffsets[i], outputOffsets[i]) = (i * Shape.FilterElements, i * Lanes);
            var call = new TileCall { RowOffsets = rowOffsets, RowStride = 1, OutputOffsets = outputOffsets, PanelStride = Lanes, LastLanes = TOps.Width, Totals = Workspace.Aligned(memory) };
            var sourceRow = Math.Max(row * Shape.Stride - Shape.Padding, 0) - top;
            for (var column = 0; column < Shape.OutWidth; column++)
            {
                var positions = RowClasses[row] * ClassColumns + ColumnClasses[column];
                ref readonly var run = ref Runs[positions];
                nint pixel = (nint)sourceRow * Shape.W + Math.Max(column * Shape.Stride - Shape.Padding, 0);
                for (var index = 0; index < split.Count; index++)
                {
                    var panel = split[index];
                    var tileRows = RowTile<TOps, TVector, TStep, RunningPanel>.Rows(panel.Vectors);
                    call.Panel = input + pixel * Shape.C * Lanes + panel.First;
                    if (FilterSums != null)
                        BatchLaneSums<TOps, TVector>.OfWindow(sums + pixel * Lanes + panel.First, run.TapRows, run.TapColumns, (nint)Shape.W * Lanes, Lanes, panel.Vectors, inputSums);
                    for (var t = 0; t < Shape.T; t += tileRows)
                    {
                        call.Rows = Filters + (long)t * Shape.FilterElements;
                        call.RowAddends = FilterSums + (long)positions * PaddedFilters + t;
                        call.Output = output + ((long)column * Shape.T + t) * Lanes + panel.First;
                        call.ValidRows = Math.Min(tileRows, Shape.T - t);
                        for (var chunk = 0; chunk < run.ChunkCount; chunk++)
                        {
                            call.Accumulate = chunk > 0;
                            call.LaneAddends = chunk > 0 || FilterSums == null ? null : inputSums;
                            call.Segments = run.Exchanged + run.Chunks[chunk].FirstSegment;
                            call.SegmentCount = run.Chunks[chunk].Segments;
                            RowTile<TOps, TVector, TStep, RunningPanel>.Run(panel.Vectors, call);
                        }
                    }
                }
            }
        }
    }
}
