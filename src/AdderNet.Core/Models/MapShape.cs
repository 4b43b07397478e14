namespace AdderNet.Core.Models;

/// <summary>Shape of one sample's feature map, channels last.</summary>
public readonly record struct MapShape(int Height, int Width, int Channels)
{
    /// <summary>Pixels of one channel.</summary>
    internal int Pixels => Height * Width;

    /// <summary>Elements of one sample's map.</summary>
    public int Elements => Height * Width * Channels;

    /// <inheritdoc/>
    public override string ToString() => $"{Height}x{Width}x{Channels}";
}
