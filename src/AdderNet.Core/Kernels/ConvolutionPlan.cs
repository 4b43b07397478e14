namespace AdderNet.Core.Kernels;

/// <summary>What the passes of one shape need to know, worked out once: where every row of inputs begins and how terms run.</summary>
internal sealed class ConvolutionPlan
{
    /// <summary>Entries that tables hold beyond their end, copies of the last: the tallest tile may read them.</summary>
    public const int TableSlack = 12;

    private InputGradientPlan? inputGradient;

    public ConvolutionPlan(in ConvolutionShape shape)
    {
        Shape = shape;
        PaddedHeight = shape.H + 2 * shape.Padding;
        PaddedWidth = shape.W + 2 * shape.Padding;
        var rowTerms = shape.KernelWidth * shape.C;
        var rows = shape.KernelHeight;
        if (shape.KernelWidth == PaddedWidth)
            (rowTerms, rows) = (rowTerms * rows, 1);
        RowTerms = rowTerms;
        TapRows = rows;

        // Vector reads round a row's end up, so rows of odd length are read from a copy with room behind it.
        CopiesInput = shape.Padding > 0 || rowTerms % 16 != 0;
        var runs = new TileSegment[rows];
        for (var row = 0; row < rows; row++)
            runs[row] = new TileSegment(row * PaddedWidth * shape.C, rowTerms, row * rowTerms);
        Terms = new TermBlocks(runs, SummationOrder.ForwardBlock);

        var taps = shape.KernelHeight * shape.KernelWidth;
        TermOrder = Pinned.Array<int>(shape.FilterElements);
        for (var k = 0; k < shape.FilterElements; k++)
            TermOrder[k] = k % taps * shape.C + k / taps;

        RowOffsets = Pinned.Array<int>(shape.Positions + TableSlack);
        OutputOffsets = Pinned.Array<int>(shape.Positions + TableSlack);
        foreach (var p in new OutputPositions(shape))
        {
            RowOffsets[p.Index] = checked(((p.N * PaddedHeight + p.Row * shape.Stride) * PaddedWidth + p.Column * shape.Stride) * shape.C);
            OutputOffsets[p.Index] = checked(p.Index * shape.T);
        }

        RowOffsets.AsSpan(shape.Positions).Fill(RowOffsets[shape.Positions - 1]);
        OutputOffsets.AsSpan(shape.Positions).Fill(OutputOffsets[shape.Positions - 1]);
    }

    public ConvolutionShape Shape { get; }

    public int PaddedHeight { get; }

    public int PaddedWidth { get; }

    /// <summary>Terms that lie one after another in memory: a tap row, or the whole filter where it spans the map's width.</summary>
    public int RowTerms { get; }

    public int TapRows { get; }

    /// <summary>Whether inputs are copied to a padded buffer first.</summary>
    public bool CopiesInput { get; }

    /// <summary>Terms over (tap row, tap column, channel), relative to a position's <see cref="RowOffsets"/>.</summary>
    public TermBlocks Terms { get; }

    /// <summary>For each element of a canonical filter (channel, tap), its place in the order of terms (tap, channel). Pinned.</summary>
    public int[] TermOrder { get; }

    /// <summary>First input element of each position's window within the padded input. Pinned.</summary>
    public int[] RowOffsets { get; }

    /// <summary>First output element of each position. Pinned.</summary>
    public int[] OutputOffsets { get; }

    public int PaddedLength => Shape.N * PaddedHeight * PaddedWidth * Shape.C;

    public InputGradientPlan InputGradient => inputGradient ??= new InputGradientPlan(Shape);
}
