namespace AdderNet.Core.Data;

/// <summary>Labelled images of one size, 8 bits a channel. Safe to read from several threads at once.</summary>
internal interface IPixels
{
    /// <summary>Size of every image.</summary>
    InputShape Shape { get; }

    /// <summary>Number of images.</summary>
    int Count { get; }

    /// <summary>Class of an image, from 0.</summary>
    int Label(int index);

    /// <summary>The image's bytes, [H, W, C], channels last: a view of what is held, or <paramref name="scratch"/> filled.</summary>
    /// <param name="index">Image index.</param>
    /// <param name="scratch">At least H*W*C bytes.</param>
    ReadOnlySpan<byte> Read(int index, Span<byte> scratch);
}

/// <summary>Images held in memory, one after another.</summary>
internal sealed class HeldPixels(InputShape shape, byte[] images, int first, byte[] labels) : IPixels
{
    public InputShape Shape => shape;

    public int Count => labels.Length;

    public int Label(int index) => labels[index];

    public ReadOnlySpan<byte> Read(int index, Span<byte> scratch) =>
        images.AsSpan(checked(first + (index * shape.Elements)), shape.Elements);
}
