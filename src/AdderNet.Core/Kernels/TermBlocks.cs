namespace AdderNet.Core.Kernels;

/// <summary>The terms of a sum cut into blocks of a fixed length, each a run of segments.</summary>
internal sealed class TermBlocks
{
    /// <param name="runs">Runs of consecutive terms in ascending order of their first term.</param>
    /// <param name="blockLength">Terms of a block (<see cref="SummationOrder"/>).</param>
    public TermBlocks(IEnumerable<TileSegment> runs, int blockLength)
    {
        var segments = new List<TileSegment>();
        var starts = new List<int>();
        var block = -1;
        foreach (var run in runs)
        {
            for (var done = 0; done < run.Length;)
            {
                var term = run.FirstTerm + done;
                if (term / blockLength != block)
                {
                    block = term / blockLength;
                    starts.Add(segments.Count);
                }

                var length = Math.Min(run.Length - done, (block + 1) * blockLength - term);
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
