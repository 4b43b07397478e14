namespace AdderNet.Core.Layers.Normalization;

/// <summary>
/// How a map [positions, channels] is cut. Several positions form a group whose length is a multiple of <see cref="Unit"/>, so
/// that vectors fit any number of channels; groups form blocks. Order of a sum over positions (numerics version): lane by lane
/// over the groups of a block, block after block, then the positions that fill no group, then over the lanes of a channel.
/// </summary>
internal sealed class ChannelGroups
{
    /// <summary>Groups of a block.</summary>
    public const int BlockGroups = 256;

    /// <summary>Elements that a group is a multiple of: lanes of the widest vector.</summary>
    public const int Unit = 8;

    private const int StreamedLanes = 256;
    private const int SharedLanes = 512;

    public ChannelGroups(int channels)
    {
        Channels = channels;
        Lanes = channels;
        while (Lanes % Unit != 0)
            Lanes += channels;
        TileGroups = Math.Clamp(Math.Max(StreamedLanes / Lanes, Lanes / SharedLanes), 1, BlockGroups);
    }

    public int Channels { get; }

    /// <summary>Elements of a group.</summary>
    public int Lanes { get; }

    /// <summary>
    /// Groups that a pass goes down together, a vector of lanes at a time; fixes no bit. One after another memory is read fastest:
    /// so groups are few, but for short ones, and for those whose sums and factors do not fit the nearest cache and are loaded once for several.
    /// </summary>
    public int TileGroups { get; }

    /// <summary>Blocks of a map, the last one perhaps shorter.</summary>
    public int Blocks(int length) => (length / Lanes + BlockGroups - 1) / BlockGroups;

    /// <summary>Repeats a value per channel over a group's lanes.</summary>
    public unsafe void Spread(ReadOnlySpan<double> values, double* lanes)
    {
        for (var first = 0; first < Lanes; first += Channels)
            values.CopyTo(new Span<double>(lanes + first, Channels));
    }
}
