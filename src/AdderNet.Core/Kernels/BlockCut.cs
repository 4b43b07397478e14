namespace AdderNet.Core.Kernels;

/// <summary>
/// Where the blocks of a sum end whose terms come in rows of equal length: a row longer than the limit is cut into as few
/// blocks as possible, as equal as possible; shorter rows are joined, as many as fit, again as equally as possible.
/// </summary>
/// <param name="rows">Number of rows.</param>
/// <param name="run">Terms of a row.</param>
/// <param name="limit">Most terms of a block.</param>
internal readonly struct BlockCut(int rows, int run, int limit)
{
    /// <summary>Whether a block ends after a term of a row.</summary>
    public bool EndsAfter(int row, int term)
    {
        if (run > limit)
            return IsCut(term + 1, run, (run + limit - 1) / limit);
        var joined = limit / run;
        return term == run - 1 && IsCut(row + 1, rows, (rows + joined - 1) / joined);
    }

    /// <summary>Whether one of the parts [length * i / parts, length * (i + 1) / parts) ends at that place.</summary>
    private static bool IsCut(int place, int length, int parts)
    {
        var part = ((long)place * parts + length - 1) / length;
        return length * part / parts == place;
    }
}
