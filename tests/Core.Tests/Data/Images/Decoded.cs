using AdderNet.Core.Data.Images;

namespace AdderNet.Core.Tests.Data.Images;

/// <summary>A picture's rows from the top as red, green and blue bytes.</summary>
internal static class Decoded
{
    public static unsafe byte[] Rgb(byte[] encoded, int rows)
    {
        using var jpeg = new JpegDecoder();
        using var png = new PngDecoder();
        using var pixels = new PixelBuffer();
        var header = PictureHeader.Read(encoded);
        var view = header.IsPng ? png.Decode(encoded, header, pixels) : jpeg.Decode(encoded, header, 1, rows, pixels);
        var rgb = new byte[rows * view.Width * 3];
        for (var i = 0; i < rgb.Length; i++)
            rgb[i] = view.Pixels[(i / 3 * PixelView.PixelBytes) + (i % 3)];
        return rgb;
    }
}
