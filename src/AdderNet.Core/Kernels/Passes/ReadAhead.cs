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

/// <summary>Deals out to tiles what they ask for ahead: two runs of elements, one after the other, and a short run at each of some places.</summary>
/// <param name="run">The first run.</param>
/// <param name="then">The other.</param>
internal unsafe struct ReadAhead(ElementRun run, ElementRun then)
{
    /// <summary>Elements of a cache line.</summary>
    private const int Line = 16;

    private float* scattered;
    private int* places;
    private int linesLeft;

    /// <summary>Goes on to other places.</summary>
    /// <param name="source">What the places count from.</param>
    /// <param name="places">As many as tiles have terms.</param>
    /// <param name="length">Elements wanted at each.</param>
    public void GoTo(float* source, int* places, int length)
    {
        scattered = source;
        this.places = places;
        linesLeft = (length + Line - 1) / Line;
    }

    /// <summary>The share of one tile.</summary>
    public TileAhead Take(int terms)
    {
        if (run.Length <= 0)
            (run, then) = (then, default);
        var share = new TileAhead { Scattered = scattered, Places = places, Run = run.First, RunStep = run.Length > 0 ? Line : 0 };
        if (run.Length > 0)
        {
            run.First += (nint)terms * Line;
            run.Length -= (nint)terms * Line;
        }

        if (--linesLeft > 0)
            scattered += Line;
        return share;
    }
}
