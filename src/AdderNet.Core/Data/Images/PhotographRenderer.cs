using AdderNet.Core.Configuration;

namespace AdderNet.Core.Data.Images;

/// <summary>Turns encoded pictures into samples with memory of its own, one after another.</summary>
/// <param name="size">Side of a sample.</param>
/// <param name="decoding">How much resolution is decoded.</param>
/// <param name="resampler">The passes to resample with.</param>
internal sealed unsafe class PhotographRenderer(int size, PhotographDecoding decoding, IResampler resampler) : IDisposable
{
    private const int LargestReduction = 8;
    private const int VectorBytes = 64;
    private readonly JpegDecoder jpeg = new();
    private readonly PngDecoder png = new();
    private readonly PixelBuffer decoded = new();
    private readonly PixelBuffer narrowed = new();
    private readonly PixelBuffer line = new();
    private readonly AxisWeights across = new();
    private readonly AxisWeights down = new();

    /// <summary>Decodes a picture, resamples the planned part of it and normalises it.</summary>
    /// <param name="encoded">The whole file.</param>
    /// <param name="header">Its header.</param>
    /// <param name="plan">For a picture of the header's size.</param>
    /// <param name="destination">Receives size x size x 3 values, channels last.</param>
    /// <exception cref="UndecodableException">The picture is damaged.</exception>
    public void Render(ReadOnlySpan<byte> encoded, PictureHeader header, CropPlan plan, Span<float> destination)
    {
        var reduction = header.IsPng || decoding == PhotographDecoding.Full ? 1 : Reduction(plan);
        across.Compute(plan.Across.Reduce(reduction), plan.Width, plan.Left, size);
        down.Compute(plan.Down.Reduce(reduction), plan.Height, plan.Top, size);
        var picture = header.IsPng
            ? png.Decode(encoded, header, decoded)
            : jpeg.Decode(encoded, header, reduction, Math.Min(down.EndInput * reduction, header.Height), decoded);

        var (first, rows) = (down.FirstInput, down.EndInput - down.FirstInput);
        var rowBytes = size * PixelView.PixelBytes;
        var narrow = narrowed.Take(((nuint)rows * (nuint)rowBytes) + VectorBytes);
        var row = line.Take((nuint)rowBytes + VectorBytes);
        resampler.Horizontal(picture, first, rows, across, plan.Mirror, narrow);
        for (var y = 0; y < size; y++)
        {
            var weights = down.Weights.AsSpan(y * down.Stride, down.Taps[y]);
            resampler.Vertical(narrow + ((nint)(down.Start[y] - first) * rowBytes), rowBytes, weights, row);
            ImageNetScale.Normalize(row, size, destination[(y * size * 3)..]);
        }
    }

    /// <summary>Decodes every row of a picture.</summary>
    /// <exception cref="UndecodableException">The picture is damaged.</exception>
    public void Decode(ReadOnlySpan<byte> encoded, PictureHeader header) =>
        _ = header.IsPng ? png.Decode(encoded, header, decoded) : jpeg.Decode(encoded, header, 1, header.Height, decoded);

    public void Dispose()
    {
        jpeg.Dispose();
        png.Dispose();
        decoded.Dispose();
        narrowed.Dispose();
        line.Dispose();
    }

    /// <summary>The largest that leaves the rectangle at least as many pixels as it becomes.</summary>
    private static int Reduction(CropPlan plan)
    {
        var reduction = LargestReduction;
        while (reduction > 1 && (plan.Across.Count < (long)plan.Width * reduction || plan.Down.Count < (long)plan.Height * reduction))
            reduction /= 2;
        return reduction;
    }
}
