namespace AdderNet.Core.Kernels;

/// <summary>The terms of a sum cut into blocks of <see cref="SummationOrder.TermBlock"/>, each a run of segments.</summary>
internal sealed class TermBlocks
{
    /// <param name="runs">Runs of consecutive terms in ascending order of their first term.</param>
    public TermBlocks(IEnumerable<TileSegment> runs)
    {
        var segments = new List<TileSegment>();
        var starts = new List<int>();
        var block = -1;
        foreach (var run in runs)
        {
            for (var done = 0; done < run.Length;)
            {
                var term = run.FirstTerm + done;
                if (term / SummationOrder.TermBlock != block)
                {
                    block = term / SummationOrder.TermBlock;
                    starts.Add(segments.Count);
                }

                var length = Math.Min(run.Length - done, (block + 1) * SummationOrder.TermBlock - term);
                segments.Add(new TileSegment(run.Offset + done, length, term));
                done += length;
            }
        }

        starts.Add(segments.Count);
        Segments = Pinned.Copy(segments);
        Exchanged = Pinned.Copy(segments.ConvertAll(s => new TileSegment(s.FirstTerm, s.Length, s.Offset)));
        Starts = [.. starts];
    }

    /// <summary>Number of blocks that have terms.</summary>
    public int Count => Starts.Length - 1;

    /// <summary>Pinned.</summary>
    public TileSegment[] Segments { get; }

    /// <summary>The segments with the roles of rows and panel exchanged. Pinned.</summary>
    public TileSegment[] Exchanged { get; }

    /// <summary>First segment of each block, and the number of segments.</summary>
    public int[] Starts { get; }
}
