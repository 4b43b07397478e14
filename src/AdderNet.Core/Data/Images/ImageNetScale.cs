namespace AdderNet.Core.Data.Images;

/// <summary>(x/255 - mean)/deviation in float32, with ImageNet's means and deviations: what ToTensor and Normalize compute.</summary>
internal static unsafe class ImageNetScale
{
    private static readonly float[] Red = Table(new ChannelScale(0.485f, 0.229f));
    private static readonly float[] Green = Table(new ChannelScale(0.456f, 0.224f));
    private static readonly float[] Blue = Table(new ChannelScale(0.406f, 0.225f));

    /// <summary>Normalises one row.</summary>
    /// <param name="pixels">Pixels of four bytes.</param>
    /// <param name="count">How many.</param>
    /// <param name="destination">Receives three values a pixel.</param>
    public static void Normalize(byte* pixels, int count, Span<float> destination)
    {
        destination = destination[..(count * 3)];
        fixed (float* to = destination, red = Red, green = Green, blue = Blue)
        {
            for (var i = 0; i < count; i++)
            {
                to[i * 3] = red[pixels[i * 4]];
                to[(i * 3) + 1] = green[pixels[(i * 4) + 1]];
                to[(i * 3) + 2] = blue[pixels[(i * 4) + 2]];
            }
        }
    }

    private static float[] Table(ChannelScale scale) => [.. Enumerable.Range(0, 256).Select(x => ((x / 255f) - scale.Mean) / scale.Deviation)];
}
