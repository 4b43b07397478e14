namespace AdderNet.Core.Kernels;

/// <summary>A row of taps that lie one after another in memory.</summary>
/// <param name="Offset">First element, relative to where the position's window begins.</param>
/// <param name="FirstTerm">Index of the first term in packed filters.</param>
internal readonly record struct TapRow(int Offset, int FirstTerm);

/// <summary>The terms of a sum as runs in memory, cut into blocks (<see cref="BlockCut"/>) and chunks of blocks.</summary>
internal sealed class TermBlocks
{
    /// <param name="rows">Rows of taps in the order of summation.</param>
    /// <param name="run">Terms of a row.</param>
    /// <param name="limit">Most terms of a block (<see cref="SummationOrder"/>).</param>
    public TermBlocks(IReadOnlyList<TapRow> rows, int run, int limit)
    {
        var cut = new BlockCut(rows.Count, run, limit);
        var segments = new List<TileSegment>();
        var chunks = new List<TileChunk>();
        var (firstSegment, blocks) = (0, 0);
        for (var row = 0; row < rows.Count; row++)
        {
            var start = 0;
            for (var term = 0; term < run; term++)
            {
                var ends = cut.EndsAfter(row, term);
                if (!ends && term < run - 1)
                    continue;
                segments.Add(new TileSegment(rows[row].Offset + start, term + 1 - start, rows[row].FirstTerm + start, ends ? 1 : 0));
                start = term + 1;
                if (ends && ++blocks == SummationOrder.ChunkBlocks)
                    EndChunk();
            }
        }

        // Without a single tap there is still one chunk, an empty one: every output is written.
        if (blocks > 0 || chunks.Count == 0)
            EndChunk();
        Segments = Pinned.Copy(segments);
        Exchanged = Pinned.Copy(segments.ConvertAll(s => s with { Offset = s.FirstTerm, FirstTerm = s.Offset }));
        Chunks = Pinned.Copy(chunks);

        void EndChunk()
        {
            chunks.Add(new TileChunk(firstSegment, segments.Count - firstSegment, blocks));
            (firstSegment, blocks) = (segments.Count, 0);
        }
    }

    /// <summary>Pinned.</summary>
    public TileSegment[] Segments { get; }

    /// <summary>The segments with the roles of rows and panel exchanged. Pinned.</summary>
    public TileSegment[] Exchanged { get; }

    /// <summary>At least one. Pinned.</summary>
    public TileChunk[] Chunks { get; }
}
