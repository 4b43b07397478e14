using System.Buffers.Binary;

namespace AdderNet.Core.Data.Images;

/// <summary>
/// PNG to RGB as Pillow's <c>convert('RGB')</c> gives it: palettes looked up, grey repeated, transparency and colour
/// profiles ignored, which libpng is told by leaving their chunks out.
/// </summary>
internal sealed class PngDecoder : IDisposable
{
    private const int SignatureBytes = 8;
    private const int ChunkOverhead = 12;
    private readonly PixelBuffer essential = new();

    /// <summary>Decodes all of it.</summary>
    /// <param name="encoded">The whole file.</param>
    /// <param name="header">Its header.</param>
    /// <param name="pixels">Where the pixels go.</param>
    /// <exception cref="UndecodableException">It is damaged.</exception>
    public unsafe PixelView Decode(ReadOnlySpan<byte> encoded, PictureHeader header, PixelBuffer pixels)
    {
        var view = PixelView.Take(pixels, header.Width, header.Height);
        var kept = new Span<byte>(essential.Take((nuint)encoded.Length), encoded.Length);
        kept = kept[..KeepEssential(encoded, kept)];
        if (LibPng.Library.Decode(kept, view.Pixels, view.Width, view.Height) is { } trouble)
            throw new UndecodableException($"is a damaged PNG: {trouble}");
        return view;
    }

    public void Dispose() => essential.Dispose();

    /// <summary>Copies the signature and the chunks IHDR, PLTE, IDAT and IEND.</summary>
    /// <returns>How many bytes were kept.</returns>
    private static int KeepEssential(ReadOnlySpan<byte> encoded, Span<byte> kept)
    {
        encoded[..SignatureBytes].CopyTo(kept);
        var (at, end) = (SignatureBytes, SignatureBytes);
        while (encoded.Length - at >= ChunkOverhead)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(encoded[at..]);
            if (length > encoded.Length - at - ChunkOverhead)
                break;
            var chunk = encoded.Slice(at, (int)length + ChunkOverhead);
            var type = chunk.Slice(4, 4);
            if (type.SequenceEqual("IHDR"u8) || type.SequenceEqual("PLTE"u8) || type.SequenceEqual("IDAT"u8) || type.SequenceEqual("IEND"u8))
            {
                chunk.CopyTo(kept[end..]);
                end += chunk.Length;
            }

            at += chunk.Length;
            if (type.SequenceEqual("IEND"u8))
                return end;
        }

        throw new UndecodableException($"is cut short: its {encoded.Length} bytes have no PNG end chunk");
    }
}
