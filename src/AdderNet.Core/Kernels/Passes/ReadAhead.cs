namespace AdderNet.Core.Kernels;

/// <summary>Elements that lie one after another.</summary>
internal unsafe struct ElementRun
{
    public float* First;
    public nint Length;

    /// <summary>One of as many parts as there are shares.</summary>
    public readonly ElementRun Part(int share, int shares)
    {
        var (from, to) = (Length * share / shares, Length * (share + 1) / shares);
        return new ElementRun { First = First + from, Length = to - from };
    }
}

/// <summary>
/// Deals out to tiles what they ask for ahead, as late as a line a term allows: two runs of elements, one after the other, and a short run
/// at each of some places. What is asked for early has left the second-level cache when it is wanted.
/// </summary>
/// <param name="run">The first run.</param>
/// <param name="then">The other.</param>
/// <param name="tiles">About as many tiles as are left until the runs are wanted.</param>
internal unsafe struct ReadAhead(ElementRun run, ElementRun then, long tiles)
{
    /// <summary>Elements of a cache line.</summary>
    public const int Line = 16;

    private float* scattered;
    private int* places;
    private int linesLeft;
    private long tilesLeft;

    /// <summary>Goes on to other places.</summary>
    /// <param name="source">What the places count from.</param>
    /// <param name="places">As many as tiles have terms.</param>
    /// <param name="length">Elements wanted at each.</param>
    /// <param name="tiles">About as many tiles as are left until they are wanted.</param>
    public void GoTo(float* source, int* places, int length, long tiles)
    {
        scattered = source;
        this.places = places;
        linesLeft = (length + Line - 1) / Line;
        tilesLeft = tiles;
    }

    /// <summary>The share of the next tile.</summary>
    /// <param name="terms">Terms of the tile.</param>
    public TileAhead Take(int terms)
    {
        var share = default(TileAhead);
        if (linesLeft > 0 && linesLeft >= tilesLeft)
        {
            share.Scattered = scattered;
            share.Places = places;
            scattered += Line;
            linesLeft--;
        }

        nint asked = (nint)terms * Line;
        if (run.Length <= 0)
            (run, then) = (then, default);
        if (run.Length > 0 && run.Length + then.Length >= asked * (tiles - 1))
        {
            share.Run = run.First;
            run.First += asked;
            run.Length -= asked;
        }

        tilesLeft--;
        tiles--;
        return share;
    }
}
