using System.Buffers.Binary;

namespace AdderNet.Core.Data.Images;

/// <summary>What the first bytes of an encoded picture promise, read before anything is decoded so that a false promise costs nothing.</summary>
/// <param name="IsPng">A PNG, whatever the file is called; otherwise a JPEG.</param>
/// <param name="Width">Pixels.</param>
/// <param name="Height">Pixels.</param>
/// <param name="Components">Of a JPEG: 1 grey, 3 colour, 4 CMYK or YCCK.</param>
/// <param name="HeightOffset">Of a JPEG: where its two bytes of height stand.</param>
/// <param name="IsSequential">Of a JPEG: every part of the image is coded once, from top to bottom.</param>
internal readonly record struct PictureHeader(bool IsPng, int Width, int Height, int Components, int HeightOffset, bool IsSequential)
{
    /// <summary>The most pixels that are decoded; Pillow warns of a decompression bomb from 89 million on.</summary>
    public const long MostPixels = 100_000_000;

    // 8 x 8 samples cost a Huffman coder at least one bit.
    private const long MostPixelsPerByte = 8 * 64;

    // A PNG's deflate stream shrinks at most 1032 times, and a pixel can be one bit.
    private const long MostPngPixelsPerByte = 8 * 1032;

    private static ReadOnlySpan<byte> PngSignature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>Reads the header of a JPEG or PNG, told apart by content.</summary>
    /// <exception cref="UndecodableException">It is neither, cut short, or larger than its bytes can be.</exception>
    public static PictureHeader Read(ReadOnlySpan<byte> encoded)
    {
        if (encoded.IsEmpty)
            throw new UndecodableException("is empty (0 bytes)");
        if (encoded.StartsWith(PngSignature))
            return ReadPng(encoded);
        if (encoded.Length >= 2 && encoded[0] == 0xFF && encoded[1] == JpegMarker.StartOfImage)
            return ReadJpeg(encoded);
        throw new UndecodableException($"is neither JPEG nor PNG: it begins with 0x{Convert.ToHexStringLower(encoded[..Math.Min(4, encoded.Length)])}");
    }

    private static PictureHeader ReadPng(ReadOnlySpan<byte> encoded)
    {
        if (encoded.Length < 33)
            throw new UndecodableException($"is cut short: {encoded.Length} bytes are too few for a PNG");
        var width = BinaryPrimitives.ReadUInt32BigEndian(encoded[16..]);
        var height = BinaryPrimitives.ReadUInt32BigEndian(encoded[20..]);
        Check(width, height, encoded.Length, MostPngPixelsPerByte);
        return new PictureHeader(true, (int)width, (int)height, 0, 0, false);
    }

    private static PictureHeader ReadJpeg(ReadOnlySpan<byte> encoded)
    {
        PictureHeader? frame = null;
        var at = 2;
        while (JpegMarker.TryNext(encoded, ref at, out var marker, out var segment))
        {
            if (marker == JpegMarker.StartOfScan)
            {
                if (frame is not { } header)
                    throw new UndecodableException("is damaged: a JPEG scan without a frame header before it");
                if (encoded[at..].LastIndexOf([(byte)0xFF, JpegMarker.EndOfImage]) < 0)
                    throw new UndecodableException($"is cut short: its {encoded.Length} bytes have no JPEG end marker");
                return header;
            }

            if (JpegMarker.IsFrame(marker))
                frame = ReadFrame(encoded.Length, marker, segment, at - segment.Length);
        }

        throw new UndecodableException($"is cut short: its {encoded.Length} bytes end within the JPEG header");
    }

    private static PictureHeader ReadFrame(int length, byte marker, ReadOnlySpan<byte> segment, int offset)
    {
        if (segment.Length < 6)
            throw new UndecodableException("is damaged: its JPEG frame header is too short");
        var height = BinaryPrimitives.ReadUInt16BigEndian(segment[1..]);
        var width = BinaryPrimitives.ReadUInt16BigEndian(segment[3..]);
        var components = segment[5];
        Check(width, height, length, JpegMarker.IsArithmetic(marker) ? MostPixels : MostPixelsPerByte);
        if (components is not (1 or 3 or 4))
            throw new UndecodableException($"is a JPEG of {components} components; 1 (grey), 3 (colour) and 4 (CMYK) are read");
        return new PictureHeader(false, width, height, components, offset + 1, JpegMarker.IsSequential(marker));
    }

    private static void Check(long width, long height, long bytes, long mostPixelsPerByte)
    {
        if (width == 0 || height == 0)
            throw new UndecodableException($"claims {width} x {height} pixels");
        if (width * height > MostPixels)
            throw new UndecodableException($"claims {width} x {height} pixels; at most {MostPixels / 1_000_000} million are decoded");
        if (width * height / mostPixelsPerByte > bytes)
            throw new UndecodableException($"claims {width} x {height} pixels, more than its {bytes} bytes can hold");
    }
}
