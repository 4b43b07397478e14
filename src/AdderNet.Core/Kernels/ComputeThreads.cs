namespace AdderNet.Core.Kernels;

/// <summary>The threads of one replica. They only ever split independent outputs, so their number changes no bit.</summary>
internal sealed class ComputeThreads : IDisposable
{
    private readonly ParallelOptions options;

    /// <param name="count">Threads to use, the calling one included; at least 1.</param>
    public ComputeThreads(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        Count = count;
        options = new ParallelOptions { MaxDegreeOfParallelism = count };
    }

    public int Count { get; }

    /// <summary>Runs <paramref name="body"/>(first, end) over disjoint consecutive parts that cover [0, <paramref name="items"/>).</summary>
    public void Split(int items, Action<int, int> body)
    {
        var parts = Math.Min(Count, items);
        if (parts <= 1)
        {
            if (items > 0)
                body(0, items);
            return;
        }

        Parallel.For(0, parts, options, i => body((int)((long)items * i / parts), (int)((long)items * (i + 1) / parts)));
    }

    public void Dispose()
    {
    }
}
