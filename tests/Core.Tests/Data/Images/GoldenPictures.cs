using AdderNet.Core.Configuration;
using AdderNet.Core.Data.Images;
using AdderNet.Core.Tests.Golden;
using Xunit;

namespace AdderNet.Core.Tests.Data.Images;

/// <summary>The encoded pictures of tests/Golden, one of every kind, and what Pillow and torchvision make of them.</summary>
internal static class GoldenPictures
{
    public const int Side = 24;
    private const string FileSuffix = ".file";
    private static readonly float[] Means = [0.485f, 0.456f, 0.406f];
    private static readonly float[] Deviations = [0.229f, 0.224f, 0.225f];

    public static GoldenFile Golden { get; } = GoldenFile.Open("pictures");

    public static IEnumerable<string> Names { get; } =
        [.. Golden.Names.Where(name => name.EndsWith(FileSuffix, StringComparison.Ordinal)).Select(name => name[..^FileSuffix.Length])];

    public static TheoryData<string> All => [.. Names];

    public static TheoryData<string> Jpegs => [.. Names.Where(name => !name.StartsWith("png", StringComparison.Ordinal))];

    public static byte[] Encoded(string name) => Golden.Bytes(name + FileSuffix);

    public static (int Width, int Height) Size(string name)
    {
        var size = Golden.Integers(name + ".size");
        return (size[0], size[1]);
    }

    /// <summary>(x/255 - mean)/deviation of bytes, channels last.</summary>
    public static float[] Normalized(ReadOnlySpan<byte> pixels)
    {
        var values = new float[pixels.Length];
        for (var i = 0; i < values.Length; i++)
            values[i] = ((pixels[i] / 255f) - Means[i % 3]) / Deviations[i % 3];
        return values;
    }

    /// <summary>The bytes that were normalised.</summary>
    public static byte[] Bytes(ReadOnlySpan<float> values)
    {
        var pixels = new byte[values.Length];
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)Math.Round(((values[i] * Deviations[i % 3]) + Means[i % 3]) * 255f);
        return pixels;
    }

    /// <summary>Renders by a plan.</summary>
    public static float[] Render(byte[] encoded, CropPlan plan, int side = Side, IResampler? resampler = null, PhotographDecoding decoding = PhotographDecoding.Full)
    {
        using var renderer = new PhotographRenderer(side, decoding, resampler ?? VectorResampler.Best);
        var sample = new float[side * side * 3];
        renderer.Render(encoded, PictureHeader.Read(encoded), plan, sample);
        return sample;
    }
}
