using System.Buffers.Binary;

namespace AdderNet.Core.Data.Images;

/// <summary>JPEG to RGB as Pillow's <c>convert('RGB')</c> gives it. Orientation tags are left alone. One thread at a time.</summary>
internal sealed unsafe class JpegDecoder : IDisposable
{
    /// <summary>
    /// Rows that are decoded below the last one used. The decoder interpolates chroma from the row of samples beyond, at most
    /// 4 rows of pixels away, and repeats it at the last row of the picture.
    /// </summary>
    private const int RowsBeyond = 16;

    private readonly TurboJpeg library = TurboJpeg.Library;
    private readonly PixelBuffer shortened = new();
    private nint handle;

    /// <summary>Decodes the rows of a JPEG from the top.</summary>
    /// <param name="encoded">The whole file.</param>
    /// <param name="header">Its header.</param>
    /// <param name="reduction">1, 2, 4 or 8: decode to that fraction of the size, rounded up.</param>
    /// <param name="rows">How many of the picture's rows, at full size, will be looked at.</param>
    /// <param name="pixels">Where the pixels go.</param>
    /// <returns>At least the rows asked for.</returns>
    /// <exception cref="UndecodableException">It is damaged.</exception>
    public PixelView Decode(ReadOnlySpan<byte> encoded, PictureHeader header, int reduction, int rows, PixelBuffer pixels)
    {
        if (handle == 0)
            handle = library.Create();
        var height = header.Height;
        if (header.IsSequential && rows + RowsBeyond < height)
        {
            height = rows + RowsBeyond;
            encoded = Shorten(encoded, header, height);
        }

        var view = PixelView.Take(pixels, Reduced(header.Width, reduction), Reduced(height, reduction));
        var format = header.Components == 4 ? TurboJpeg.Cmyk : TurboJpeg.Rgbx;
        if (library.Decode(handle, encoded, view.Pixels, view.Width, view.Height, format) is { } trouble && !IsHarmless(trouble))
            throw new UndecodableException($"is a damaged JPEG: {trouble.Message}");
        if (format == TurboJpeg.Cmyk)
            ConvertInvertedCmyk(view);
        return view;
    }

    public void Dispose()
    {
        shortened.Dispose();
        Free();
        GC.SuppressFinalize(this);
    }

    ~JpegDecoder() => Free();

    /// <summary>A side of a picture decoded to a fraction of its size.</summary>
    public static int Reduced(int side, int reduction) => (side + reduction - 1) / reduction;

    private void Free()
    {
        if (handle != 0)
            library.Destroy(handle);
        handle = 0;
    }

    /// <summary>
    /// Bytes between segments that mean nothing are passed over, as Pillow does. Every other warning means that pixels were
    /// invented, and those differ between libjpeg-turbo's vector code and its C code.
    /// </summary>
    private static bool IsHarmless((string Message, bool IsWarning) trouble) =>
        trouble.IsWarning && trouble.Message.Contains("extraneous bytes before marker", StringComparison.Ordinal);

    /// <summary>
    /// The same JPEG, claiming fewer rows: a sequential one codes them from top to bottom, so the decoder stops after them
    /// and takes the rest for extraneous bytes.
    /// </summary>
    private Span<byte> Shorten(ReadOnlySpan<byte> encoded, PictureHeader header, int rows)
    {
        var copy = new Span<byte>(shortened.Take((nuint)encoded.Length), encoded.Length);
        encoded.CopyTo(copy);
        BinaryPrimitives.WriteUInt16BigEndian(copy[header.HeightOffset..], (ushort)rows);
        return copy;
    }

    /// <summary>
    /// Pillow's two steps: stored CMYK is inverted (Adobe's habit, which it takes for granted), and each of red, green and
    /// blue is K' - C' K' / 255 with K' = 255 - K, rounded.
    /// </summary>
    private static void ConvertInvertedCmyk(PixelView view)
    {
        var end = view.Pixels + (view.RowBytes * (nuint)view.Height);
        for (var pixel = view.Pixels; pixel < end; pixel += PixelView.PixelBytes)
        {
            var white = pixel[3];
            for (var c = 0; c < 3; c++)
                pixel[c] = (byte)(white - DividedBy255((255 - pixel[c]) * white));
        }
    }

    /// <summary>Rounded quotient, for products of two bytes.</summary>
    private static int DividedBy255(int product)
    {
        var rounded = product + 128;
        return (rounded + (rounded >> 8)) >> 8;
    }
}
