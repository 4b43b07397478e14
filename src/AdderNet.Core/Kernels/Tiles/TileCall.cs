namespace AdderNet.Core.Kernels;

/// <summary>A run of terms that lie one after another in every row of a tile.</summary>
/// <param name="Offset">First element, relative to the row.</param>
/// <param name="Length">Number of terms.</param>
/// <param name="FirstTerm">The first term's index in the panel.</param>
/// <param name="EndsBlock">1 where a block of terms ends with the run, else 0.</param>
internal readonly record struct TileSegment(int Offset, int Length, int FirstTerm, int EndsBlock);

/// <summary>Blocks of terms that one call of a tile sums; the chunks of a sum are calls one after another.</summary>
/// <param name="FirstSegment">The chunk's first segment.</param>
/// <param name="Segments">Number of segments.</param>
/// <param name="Blocks">Number of blocks.</param>
internal readonly record struct TileChunk(int FirstSegment, int Segments, int Blocks);

/// <summary>
/// What a tile computes: sums over terms k of step(panel[k][lane], row[i][k]) for a few rows i and a few vectors of lanes.
/// The terms run through the segments in order.
/// </summary>
internal unsafe struct TileCall
{
    /// <summary>Elements of room for any tile's totals, with what aligning it takes.</summary>
    public const int TotalsLength = 6 * 4 * 16 + 16;

    /// <summary>Scalars: term k of row i is Rows[RowOffsets[i] + segment.Offset + k * RowStride].</summary>
    public float* Rows;

    /// <summary>Twice as many entries as the tile has rows, valid even beyond <see cref="ValidRows"/>: those of the next tile are prefetched.</summary>
    public int* RowOffsets;

    /// <summary>1 where a row's terms lie one after another, more where the rows of a term do.</summary>
    public nint RowStride;

    public TileSegment* Segments;

    public int SegmentCount;

    /// <summary>Vectors: term k of the lanes is at Panel + k * PanelStride.</summary>
    public float* Panel;

    public nint PanelStride;

    /// <summary>Of tiles with a <see cref="TabledPanel"/>: where each term's vectors are, relative to <see cref="Panel"/>.</summary>
    public int* PanelTable;

    /// <summary>Row i of the result is at Output + OutputOffsets[i].</summary>
    public float* Output;

    /// <summary>As many entries as <see cref="RowOffsets"/>.</summary>
    public int* OutputOffsets;

    /// <summary>Of tiles that sum in place, each segment a block: elements from the output of one block to that of the next; 0 where all are added to one.</summary>
    public nint BlockStride;

    /// <summary>Rows to store.</summary>
    public int ValidRows;

    /// <summary>Lanes of the last vector to store (and to read from <see cref="Own"/>).</summary>
    public int LastLanes;

    /// <summary>Room for the tile's sums, 64-byte aligned; null for tiles that sum in place. Own-value tiles find +0 there and leave it so.</summary>
    public float* Totals;

    /// <summary>Whether the sums are added to the output (a later chunk of terms) or replace it.</summary>
    public bool Accumulate;

    /// <summary>Whether the result is stored past the caches, in vectors that are whole cache lines. Of gathers, never with <see cref="Accumulate"/>.</summary>
    public bool PastCaches;

    /// <summary>Where not null, sums start at LaneAddends[lane] + RowAddends[i] instead of +0. For the first chunk only.</summary>
    public float* LaneAddends;

    public float* RowAddends;

    /// <summary>Of own-value tiles of one vector: first elements of vectors of the output that are cleared past the caches, one a term.</summary>
    public int* Cleared;

    /// <summary>How many those are: at most as many as the first segment has terms.</summary>
    public nint ClearedCount;

    /// <summary>Of tall tiles: what <see cref="LaterRows"/> count from where rows are wanted a sweep later, else null.</summary>
    public float* LaterSource;

    /// <summary>Row offsets a sweep later.</summary>
    public int* LaterRows;

    /// <summary>Of tall tiles: output offsets that are wanted a sweep later, or null.</summary>
    public int* LaterOutputs;

    /// <summary>Of tall tiles: elements of a row from which on its neighbour asks for them.</summary>
    public nint RowDistance;

    /// <summary>What later tiles read first, where the panel asks for it.</summary>
    public TileAhead Ahead;

    /// <summary>Of own-value tiles: each output's own operand, laid out as the output.</summary>
    public float* Own;
}

/// <summary>
/// Memory that is wanted when the tiles at hand are done: who reads it then would wait for it while the arithmetic units stand
/// idle. A line a term keeps the requests from crowding out the tile's own; they reach the second-level cache.
/// </summary>
internal unsafe struct TileAhead
{
    /// <summary>Term k asks for Scattered + Places[k].</summary>
    public float* Scattered;

    /// <summary>As many entries as the tile has terms, or null.</summary>
    public int* Places;

    /// <summary>Where not null, term k asks for the k-th cache line from there on.</summary>
    public float* Run;
}
