namespace AdderNet.Core.Kernels;

/// <summary>A run of terms that lie one after another in every row of a tile.</summary>
/// <param name="Offset">First element, relative to the row.</param>
/// <param name="Length">Number of terms.</param>
/// <param name="FirstTerm">The first term's index in the panel.</param>
internal readonly record struct TileSegment(int Offset, int Length, int FirstTerm);

/// <summary>
/// What a tile computes: sums over terms k of step(panel[k][lane], row[i][k]) for a few rows i and a few vectors of lanes.
/// The terms run through the segments in order.
/// </summary>
internal unsafe struct TileCall
{
    /// <summary>Scalars: term k of row i is Rows[RowOffsets[i] + segment.Offset + k].</summary>
    public float* Rows;

    /// <summary>As many entries as the tile has rows, valid addresses even beyond <see cref="ValidRows"/>.</summary>
    public int* RowOffsets;

    public TileSegment* Segments;

    public int SegmentCount;

    /// <summary>Vectors: term k of the lanes is at Panel + k * PanelStride.</summary>
    public float* Panel;

    public nint PanelStride;

    /// <summary>Row i of the result is at Output + OutputOffsets[i].</summary>
    public float* Output;

    public int* OutputOffsets;

    /// <summary>Rows to store.</summary>
    public int ValidRows;

    /// <summary>Lanes of the last vector to store (and to read from <see cref="Own"/>).</summary>
    public int LastLanes;

    /// <summary>Whether the sums are added to the output (a later block of terms) or replace it.</summary>
    public bool Accumulate;

    /// <summary>Where not null, the first block adds LaneAddends[lane] + RowAddends[i] to each sum.</summary>
    public float* LaneAddends;

    public float* RowAddends;

    /// <summary>Of own-value tiles: each output's own operand, laid out as the output.</summary>
    public float* Own;
}
