namespace AdderNet.Core.Kernels;

/// <summary>
/// Filter gradients: rows are filters, lanes are terms over (tap, channel), and the sums run over positions in blocks. The
/// sums are kept in that order, in rows of <see cref="FilterGradientEnd{TOps, TVector}.RowStride"/>; <see cref="FilterGradientEnd{TOps, TVector}"/> makes the gradient of them.
/// </summary>
/// <typeparam name="TOps">Vector operations.</typeparam>
/// <typeparam name="TVector">The register type.</typeparam>
/// <typeparam name="TTile">Tile for panels of inputs gathered position by position.</typeparam>
/// <typeparam name="TDirectTile">The same tile for panels that are read where they lie.</typeparam>
internal static unsafe class FilterGradientPass<TOps, TVector, TTile, TDirectTile>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
    where TTile : struct, ITile
    where TDirectTile : struct, ITile
{
    /// <summary>Bytes of gradients and inputs that stay in the second-level cache while panels pass by them, beside what is asked for ahead.</summary>
    private const int SpanBytes = 480 << 10;

    /// <summary>Most bytes of a block's sums where threads take blocks: passing totals from thread to thread would cost more than it gains.</summary>
    private const int MostBlockSums = 96 << 10;

    /// <summary>Bytes of sums of the blocks that a thread takes at once: fewer pass the totals on more often, more drive out what tiles read.</summary>
    private const int RunSums = 120 << 10;

    /// <summary>Blocks a thread below which one more or less matters more than what sharing blocks gains.</summary>
    private const int FewBlocks = 4;

    /// <summary>Panels a thread above which one more or less hardly matters.</summary>
    private const int ManyPanels = 16;

    private const int Block = SummationOrder.PositionBlock;

    /// <param name="plan">Plan of the shape.</param>
    /// <param name="x">[N, H, W, C].</param>
    /// <param name="own">Filters in the order of the result where the step wants them, else null.</param>
    /// <param name="g">[P, T].</param>
    /// <param name="filters">[T, C, kh, kw] where the gradient is corrected by F * sum_p G (paper, eq. 5 multiplied out), else null.</param>
    /// <param name="gradient">Receives [T, C, kh, kw].</param>
    /// <param name="threads">Threads, scratch memory and plans.</param>
    public static void Run(ConvolutionPlan plan, float* x, float* own, float* g, float* filters, float* gradient, ComputeThreads threads)
    {
        var shape = plan.Shape;
        var split = new PanelSplit(shape.FilterElements, TOps.Width, own == null ? PanelVectors(plan) : TOps.TileVectors);
        var shares = threads.Count;
        var spanBlocks = SpanBlocks(plan);
        var gradients = new GradientRows<TOps, TVector>(shape, g, spanBlocks + 1, threads);
        var rowStride = FilterGradientEnd<TOps, TVector>.RowStride(shape.FilterElements);
        var rows = shape.T + TTile.Rows(3);
        var result = threads.Workspace.Take<float>(WorkspaceSlot.OrderedGradient, (long)rows * rowStride);
        var job = new FilterGradientSpan<TOps, TVector, TTile, TDirectTile>
        {
            Shape = shape,
            Split = split,
            Shares = shares,
            Inputs = new PanelInputs<TOps, TVector>(plan, split, shares, threads),
            Own = own,
            Gradients = gradients,
            Output = result,
            RowStride = rowStride,
            Positions = new PositionTiles(0, 0, own == null ? PositionTiles.MostBlocks : 1),
        };
        var blockStride = rows * rowStride;
        if (SharesBlocks(plan, blockStride, shares))
            ShareBlocks(plan, x, job, blockStride, RunBlocks(plan, job.RowStride, spanBlocks), threads);
        else
            SharePanels(plan, x, job, spanBlocks, threads);
        gradients.AddToTotals();
        new FilterGradientEnd<TOps, TVector>(shape, result, gradients.Totals, filters, gradient).Write(threads);
    }

    /// <summary>Span by span, threads share out its panels.</summary>
    private static void SharePanels(ConvolutionPlan plan, float* x, FilterGradientSpan<TOps, TVector, TTile, TDirectTile> job, int spanBlocks, ComputeThreads threads)
    {
        var positions = plan.Shape.Positions;
        var (shares, panels) = (job.Shares, job.Split.Count);

        // Where panels are few, groups of filters are shared out as well.
        job.Parts = panels % shares == 0 || panels >= ManyPanels * shares ? 1 : shares;
        var padded = threads.Workspace.Take<float>(WorkspaceSlot.PaddedInput, InputPadding.Room(plan, (spanBlocks + 1) * Block));
        for (int first = 0, end; first < positions; first = end)
        {
            end = SpanEnd(first, positions, spanBlocks);
            var padding = new InputPadding(plan, x, first, end, padded);
            threads.Split(shares, new PrepareJob { Gradients = job.Gradients, Padding = padding, FirstPosition = first, EndPosition = end, Shares = shares });
            job.Inputs.Source = padding.Inputs;
            var nextEnd = SpanEnd(end, positions, spanBlocks);
            job.NextPosition = end;
            job.NextGradients = job.Gradients.Run(end, nextEnd);
            job.NextInputs = InputPadding.Copied(plan, x, end, nextEnd);
            job.Positions = job.Positions with { First = first, End = end };
            threads.Split(shares, job);
        }
    }

    /// <summary>Each thread takes blocks of positions.</summary>
    private static void ShareBlocks(ConvolutionPlan plan, float* x, FilterGradientSpan<TOps, TVector, TTile, TDirectTile> job, int blockStride, int runBlocks, ComputeThreads threads)
    {
        job.Parts = 1;
        job.BlockStride = blockStride;
        var shares = threads.Count;
        var runs = new BlockRuns((plan.Shape.Positions + Block - 1) / Block, runBlocks, shares);
        var padded = InputPadding.Room(plan, runBlocks * Block);
        threads.Split(shares, new FilterGradientBlocks<TOps, TVector, TTile, TDirectTile>
        {
            Plan = plan,
            X = x,
            Span = job,
            Runs = &runs,
            RunBlocks = runBlocks,
            Sums = threads.Workspace.Take<float>(WorkspaceSlot.BlockGradients, (long)shares * runBlocks * blockStride),
            Padded = threads.Workspace.Take<float>(WorkspaceSlot.PaddedInput, shares * padded),
            PaddedLength = padded,
        });
    }

    /// <summary>
    /// Blocks of positions whose gradients and inputs fill the bytes of a span; where gradients are packed they pass by many panels, and only
    /// copied inputs count.
    /// </summary>
    private static int SpanBlocks(ConvolutionPlan plan) => Math.Max(SpanBytes / sizeof(float) / BlockElements(plan), PositionTiles.MostBlocks - 1);

    /// <summary>Elements of gradients and inputs that the tiles of a block of positions read.</summary>
    private static int BlockElements(ConvolutionPlan plan)
    {
        var shape = plan.Shape;
        var packs = GradientRows<TOps, TVector>.Packs(shape);
        var inputs = packs && !plan.CopiesInput ? 0 : Block * shape.C * (plan.CopiesInput ? shape.Stride * shape.Stride : 1);
        return GradientRows<TOps, TVector>.Length(shape) + inputs;
    }

    /// <summary>Whether threads take blocks rather than panels: where a block's sums are few, and the blocks many.</summary>
    private static bool SharesBlocks(ConvolutionPlan plan, int blockStride, int shares) =>
        shares > 1 && !GradientRows<TOps, TVector>.Packs(plan.Shape) && blockStride <= MostBlockSums / sizeof(float) && plan.Shape.Positions >= FewBlocks * shares * Block;

    /// <summary>Most blocks that a thread takes at once: what it reads fills no more than a span, and their sums stay in the second-level cache.</summary>
    private static int RunBlocks(ConvolutionPlan plan, int rowStride, int spanBlocks) =>
        Math.Clamp(RunSums / sizeof(float) / (plan.Shape.T * rowStride), 1, spanBlocks);

    /// <summary>Where a span ends: a block or less that would be left behind comes along.</summary>
    private static int SpanEnd(int first, int positions, int blocks) => positions - first <= (blocks + 1) * Block ? positions : first + blocks * Block;

    /// <summary>Vectors of a panel: 3 where a panel then lies in one tap row.</summary>
    private static int PanelVectors(ConvolutionPlan plan)
    {
        const int three = 3;
        var widest = TOps.TileVectors;
        return widest > three && plan.WindowRun % (three * TOps.Width) == 0 && plan.WindowRun % (widest * TOps.Width) != 0 ? three : widest;
    }

    /// <summary>What a span's tiles read, as far as it is not where they can read it. An item is a thread's share.</summary>
    private struct PrepareJob : ISplitJob
    {
        public GradientRows<TOps, TVector> Gradients;
        public InputPadding Padding;
        public int FirstPosition;
        public int EndPosition;
        public int Shares;

        public readonly void Run(int first, int end)
        {
            for (var share = first; share < end; share++)
            {
                Gradients.Prepare(FirstPosition, EndPosition, share, Shares);
                Padding.Copy(share, Shares);
            }
        }
    }
}
