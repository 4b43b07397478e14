namespace AdderNet.Core.Data;

/// <summary>Shape of one sample: height and width in pixels, channels last.</summary>
public sealed record InputShape(int Height, int Width, int Channels)
{
    /// <summary>Elements of one sample, H*W*C.</summary>
    public int Elements => Height * Width * Channels;
}
