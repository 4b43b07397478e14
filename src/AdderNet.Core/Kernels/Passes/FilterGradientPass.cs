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
        var result = threads.Workspace.Take<float>(WorkspaceSlot.OrderedGradient, (long)(shape.T + TTile.Rows(3)) * rowStride);
        var job = new FilterGradientSpan<TOps, TVector, TTile, TDirectTile>
        {
            Shape = shape,
            Split = split,
            Shares = shares,

            // Panels are what is split over threads; where they are few, groups of filters as well.
            Parts = split.Count % shares == 0 || split.Count >= ManyPanels * shares ? 1 : shares,
            Inputs = new PanelInputs<TOps, TVector>(plan, split, shares, threads),
            Own = own,
            Gradients = gradients,
            Output = result,
            RowStride = rowStride,
        };
        for (int first = 0, end; first < shape.Positions; first = end)
        {
            end = SpanEnd(first, shape.Positions, spanBlocks);
            var padding = new InputPadding(plan, x, first, end, threads);
            threads.Split(shares, new PrepareJob { Gradients = gradients, Padding = padding, FirstPosition = first, EndPosition = end, Shares = shares });
            gradients.AddToTotals(first, end);
            job.Inputs.Source = padding.Inputs;
            var nextEnd = SpanEnd(end, shape.Positions, spanBlocks);
            job.NextGradients = gradients.Run(end, nextEnd);
            job.NextInputs = InputPadding.Copied(plan, x, end, nextEnd);
            job.Positions = new PositionTiles(first, end, own == null ? PositionTiles.MostBlocks : 1);
            threads.Split(shares, job);
        }

        new FilterGradientEnd<TOps, TVector>(shape, result, gradients.Totals, filters, gradient).Write(threads);
    }

    /// <summary>
    /// Blocks of positions whose gradients and inputs fill the bytes of a span; where gradients are packed they pass by many panels, and only
    /// copied inputs count.
    /// </summary>
    private static int SpanBlocks(ConvolutionPlan plan)
    {
        var shape = plan.Shape;
        var packs = GradientRows<TOps, TVector>.Packs(shape);
        var inputs = packs && !plan.CopiesInput ? 0 : Block * shape.C * (plan.CopiesInput ? shape.Stride * shape.Stride : 1);
        return Math.Max(SpanBytes / sizeof(float) / (GradientRows<TOps, TVector>.Length(shape) + inputs), PositionTiles.MostBlocks - 1);
    }

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
