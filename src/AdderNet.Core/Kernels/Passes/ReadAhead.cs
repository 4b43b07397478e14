namespace AdderNet.Core.Kernels;

/// <summary>Deals out to tiles what they ask for ahead: one run of elements, and a short run at each of some places.</summary>
internal unsafe struct ReadAhead
{
    /// <summary>Elements of a cache line.</summary>
    private const int Line = 16;

    private readonly float* runEnd;
    private float* run;
    private float* scattered;
    private int* places;
    private int linesLeft;

    /// <param name="run">The run's first element.</param>
    /// <param name="length">Its length in elements.</param>
    public ReadAhead(float* run, nint length)
    {
        this.run = run;
        runEnd = run + length;
    }

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
        var share = new TileAhead { Scattered = scattered, Places = places, Run = run, RunStep = run < runEnd ? Line : 0 };
        if (run < runEnd)
            run += (nint)terms * Line;
        if (--linesLeft > 0)
            scattered += Line;
        return share;
    }
}
