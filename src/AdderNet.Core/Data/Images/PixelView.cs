namespace AdderNet.Core.Data.Images;

/// <summary>Decoded pixels: rows from the top, four bytes a pixel (red, green, blue and one without meaning), no gap between rows.</summary>
/// <param name="pixels">The first pixel.</param>
/// <param name="width">Pixels of a row.</param>
/// <param name="height">Rows.</param>
internal readonly unsafe struct PixelView(byte* pixels, int width, int height)
{
    public const int PixelBytes = 4;

    public byte* Pixels => pixels;

    public int Width => width;

    public int Height => height;

    public nuint RowBytes => (nuint)width * PixelBytes;

    /// <summary>Room for a picture of that size, with a vector's length to read beyond it.</summary>
    public static PixelView Take(PixelBuffer buffer, int width, int height)
    {
        const int ReadBeyond = 64;
        return new PixelView(buffer.Take(((nuint)width * (nuint)height * PixelBytes) + ReadBeyond), width, height);
    }
}
