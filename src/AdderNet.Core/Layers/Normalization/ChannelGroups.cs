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

    private const int TileBytes = 16 * 1024;
    private const int FewestTileGroups = 4;

    public ChannelGroups(int channels)
    {
        Channels = channels;
        Lanes = channels;
        while (Lanes % Unit != 0)
            Lanes += channels;
        TileGroups = Math.Clamp(TileBytes / (Lanes * sizeof(float)), FewestTileGroups, BlockGroups);
    }

    public int Channels { get; }

    /// <summary>Elements of a group.</summary>
    public int Lanes { get; }

    /// <summary>Groups that stay in the nearest cache while a pass goes over their lanes; fixes no bit.</summary>
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
