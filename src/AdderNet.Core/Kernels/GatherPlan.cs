namespace AdderNet.Core.Kernels;

/// <summary>Positions that meet the same taps: interior, edges and corners, and at strides above 1 of input gradients one such set a parity.</summary>
/// <param name="Terms">The terms that they sum; those of absent taps are left out.</param>
/// <param name="TapRows">Tap rows that they meet.</param>
/// <param name="TapColumns">Tap columns that they meet.</param>
/// <param name="Positions">Number of positions, all samples together, samples one after another.</param>
/// <param name="Sources">The first element that each position reads. Pinned.</param>
/// <param name="Places">Each position's pixel in the result. Pinned.</param>
/// <param name="Results">Each position's first element in the result. Pinned.</param>
internal sealed unsafe record GatherClass(TermBlocks Terms, int[] TapRows, int[] TapColumns, int Positions, int[] Sources, int[] Places, int[] Results)
{
    /// <summary>The class as pointers, for jobs; valid as long as the plan lives.</summary>
    public GatherRun Run => new()
    {
        Segments = Pinned.Address(Terms.Segments),
        Exchanged = Pinned.Address(Terms.Exchanged),
        Chunks = Pinned.Address(Terms.Chunks),
        ChunkCount = Terms.Chunks.Length,
        TapRows = TapRows.Length,
        TapColumns = TapColumns.Length,
        Positions = Positions,
        Sources = Pinned.Address(Sources),
        Places = Pinned.Address(Places),
        Results = Pinned.Address(Results),
    };

    public bool HasTap(int row, int column) => TapRows.Contains(row) && TapColumns.Contains(column);
}

/// <summary>A <see cref="GatherClass"/> as jobs read it.</summary>
internal unsafe struct GatherRun
{
    public TileSegment* Segments;
    public TileSegment* Exchanged;
    public TileChunk* Chunks;
    public int ChunkCount;
    public int TapRows;
    public int TapColumns;
    public int Positions;
    public int* Sources;
    public int* Places;
    public int* Results;
}

/// <summary>The positions of a result, each gathered from the taps that it meets: outputs from inputs, or input gradients from output gradients.</summary>
internal sealed class GatherPlan
{
    /// <summary>Positions that tiles take at a time; tables hold as many copies of the last position beyond their end.</summary>
    public const int Group = 12;

    /// <param name="rows">Rows of the result by the tap rows that they meet.</param>
    /// <param name="columns">Columns alike.</param>
    /// <param name="maps">What is read and what is written.</param>
    /// <param name="leavesUnreached">Whether positions without a tap are left out of the groups.</param>
    private GatherPlan(List<AxisGroup> rows, List<AxisGroup> columns, GatherMaps maps, bool leavesUnreached)
    {
        var classes = new List<GatherClass>();
        foreach (var row in rows)
        {
            foreach (var column in columns)
                classes.Add(Join(row, column, maps));
        }

        Classes = [.. classes];
        Runs = Pinned.Copy(classes.ConvertAll(positions => positions.Run));
        RowClasses = GroupOfPlaces(rows);
        ColumnClasses = GroupOfPlaces(columns);
        ClassColumns = columns.Count;
        GroupStarts = Pinned.Array<int>(Classes.Length + 1);
        var unreached = new List<int>();
        for (var i = 0; i < Classes.Length; i++)
        {
            var positions = Classes[i].Positions;
            if (leavesUnreached && Classes[i].TapRows.Length * Classes[i].TapColumns.Length == 0)
            {
                unreached.AddRange(Classes[i].Results.AsSpan(0, positions));
                positions = 0;
            }

            GroupStarts[i + 1] = GroupStarts[i] + (positions + Group - 1) / Group;
        }

        unreached.Sort();
        Unreached = Pinned.Copy(unreached);
        UnreachedCount = unreached.Count;
    }

    public GatherClass[] Classes { get; }

    /// <summary>The classes as jobs read them. Pinned.</summary>
    public GatherRun[] Runs { get; }

    /// <summary>For each row of the result, which rows of <see cref="Classes"/> (<see cref="ClassColumns"/> each) its positions belong to. Pinned.</summary>
    public int[] RowClasses { get; }

    /// <summary>For each column of the result, which column of <see cref="Classes"/> its positions belong to. Pinned.</summary>
    public int[] ColumnClasses { get; }

    /// <summary>Classes that share their tap rows.</summary>
    public int ClassColumns { get; }

    /// <summary>Number of the first group of positions of each class, and the number of all groups. Pinned.</summary>
    public int[] GroupStarts { get; }

    public int Groups => GroupStarts[^1];

    /// <summary>First elements, ascending, of positions that no tap reaches and that no group holds: at strides above 1 they may be most of an input gradient. Pinned.</summary>
    public int[] Unreached { get; }

    /// <summary>How many those are.</summary>
    public int UnreachedCount { get; }

    /// <summary>Outputs, gathered from inputs: taps ascend.</summary>
    public static GatherPlan OfOutputs(ConvolutionShape shape) => new(
        AxisGroup.Of(shape.OutHeight, place => Inside(place, shape.KernelHeight, shape.H, shape), (place, tap) => place * shape.Stride - shape.Padding + tap),
        AxisGroup.Of(shape.OutWidth, place => Inside(place, shape.KernelWidth, shape.W, shape), (place, tap) => place * shape.Stride - shape.Padding + tap),
        new GatherMaps(shape.N, shape.H, shape.W, shape.C, shape.OutHeight, shape.OutWidth, shape.T, SummationOrder.ForwardBlock, (row, column) => row * shape.KernelWidth + column),
        leavesUnreached: false);

    /// <summary>Input gradients, gathered from output gradients: taps descend, so that the gradients that they read ascend.</summary>
    public static GatherPlan OfInputs(ConvolutionShape shape)
    {
        var ranks = TapRanks(shape);
        return new(
            AxisGroup.Of(shape.H, place => Reached(place, shape.KernelHeight, shape.OutHeight, shape), (place, tap) => (place + shape.Padding - tap) / shape.Stride),
            AxisGroup.Of(shape.W, place => Reached(place, shape.KernelWidth, shape.OutWidth, shape), (place, tap) => (place + shape.Padding - tap) / shape.Stride),
            new GatherMaps(shape.N, shape.OutHeight, shape.OutWidth, shape.T, shape.H, shape.W, shape.C, SummationOrder.InputGradientBlock, (row, column) => ranks[row * shape.KernelWidth + column]),
            leavesUnreached: true);
    }

    /// <summary>For each tap (row, column) its place in filters packed for input gradients: taps that one position meets descend side by side.</summary>
    public static int[] TapRanks(in ConvolutionShape shape)
    {
        var (width, stride) = (shape.KernelWidth, shape.Stride);
        int[] columns = [.. Enumerable.Range(0, width).OrderBy(column => column % stride).ThenByDescending(column => column)];
        var ranks = new int[shape.KernelHeight * width];
        for (var row = 0; row < shape.KernelHeight; row++)
        {
            for (var rank = 0; rank < width; rank++)
                ranks[row * width + columns[rank]] = row * width + rank;
        }

        return ranks;
    }

    private static IEnumerable<int> Inside(int place, int kernel, int size, ConvolutionShape shape) =>
        Enumerable.Range(0, kernel).Where(tap => place * shape.Stride - shape.Padding + tap is var at && at >= 0 && at < size);

    private static IEnumerable<int> Reached(int place, int kernel, int outputs, ConvolutionShape shape) =>
        Enumerable.Range(0, kernel).Reverse().Where(tap =>
            place + shape.Padding - tap is var at && at >= 0 && at % shape.Stride == 0 && at / shape.Stride < outputs);

    private static int[] GroupOfPlaces(List<AxisGroup> groups)
    {
        var classes = Pinned.Array<int>(groups.Sum(group => group.Places.Count));
        for (var i = 0; i < groups.Count; i++)
        {
            foreach (var (place, _) in groups[i].Places)
                classes[place] = i;
        }

        return classes;
    }

    private static GatherClass Join(AxisGroup rows, AxisGroup columns, GatherMaps maps)
    {
        var tapRows = new List<TapRow>();
        for (var i = 0; i < rows.Taps.Length && columns.Taps.Length > 0; i++)
            tapRows.Add(new TapRow(i * maps.SourceWidth * maps.Channels, maps.TapRank(rows.Taps[i], columns.Taps[0]) * maps.Channels));

        var positions = maps.Samples * rows.Places.Count * columns.Places.Count;
        var sources = Pinned.Array<int>(positions + 2 * Group);
        var places = Pinned.Array<int>(positions + 2 * Group);
        var results = Pinned.Array<int>(positions + 2 * Group);
        var at = 0;
        for (var n = 0; n < maps.Samples; n++)
        {
            foreach (var (h, sourceRow) in rows.Places)
            {
                foreach (var (w, sourceColumn) in columns.Places)
                {
                    sources[at] = checked(((n * maps.SourceHeight + sourceRow) * maps.SourceWidth + sourceColumn) * maps.Channels);
                    places[at] = (n * maps.Height + h) * maps.Width + w;
                    results[at] = checked(places[at] * maps.ResultChannels);
                    at++;
                }
            }
        }

        sources.AsSpan(positions).Fill(sources[positions - 1]);
        places.AsSpan(positions).Fill(places[positions - 1]);
        results.AsSpan(positions).Fill(results[positions - 1]);
        return new GatherClass(new TermBlocks(tapRows, columns.Taps.Length * maps.Channels, maps.Limit), rows.Taps, columns.Taps, positions, sources, places, results);
    }

    /// <summary>What is read and what is written.</summary>
    private sealed record GatherMaps(int Samples, int SourceHeight, int SourceWidth, int Channels, int Height, int Width, int ResultChannels, int Limit, Func<int, int, int> TapRank);
}
