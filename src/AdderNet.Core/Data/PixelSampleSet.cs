using System.Buffers;
using AdderNet.Core.Configuration;
using AdderNet.Core.Numerics;

namespace AdderNet.Core.Data;

/// <summary>Mean and standard deviation by which a channel's values, scaled to 0..1, are normalised.</summary>
internal readonly record struct ChannelScale(float Mean, float Deviation);

/// <summary>Normalised samples from 8-bit images: (x/255 - mean)/deviation in float32, a table of 256 values a channel.</summary>
internal sealed class PixelSampleSet : ISampleSet
{
    /// <summary>Pixels of padding on every side before the random crop.</summary>
    public const int Padding = 4;

    private readonly IPixels pixels;
    private readonly Augmentation augmentation;
    private readonly float[][] normalized;

    /// <param name="pixels">The images.</param>
    /// <param name="scales">One for each channel.</param>
    /// <param name="augmentation">Applied where a draw is given.</param>
    public PixelSampleSet(IPixels pixels, IReadOnlyList<ChannelScale> scales, Augmentation augmentation)
    {
        if (scales.Count != pixels.Shape.Channels)
            throw new ArgumentException($"{scales.Count} scales for {pixels.Shape.Channels} channels");
        (this.pixels, this.augmentation) = (pixels, augmentation);
        normalized = scales.Select(scale => Enumerable.Range(0, 256).Select(x => ((x / 255f) - scale.Mean) / scale.Deviation).ToArray()).ToArray();
    }

    public int Count => pixels.Count;

    public int Label(int index) => pixels.Label(index);

    public void Read(int index, SampleDraw? augmentation, Span<float> destination)
    {
        var shape = pixels.Shape;
        if (destination.Length != shape.Elements)
            throw new ArgumentException($"a sample has {shape.Elements} values, the destination {destination.Length}");
        var scratch = ArrayPool<byte>.Shared.Rent(shape.Elements);
        try
        {
            var image = pixels.Read(index, scratch);
            if (augmentation is { } draw && this.augmentation == Augmentation.CropFlip)
                CropFlip(image, new Philox(draw.Seed, DrawPurpose.Augmentation, (uint)index, (uint)draw.Epoch), destination);
            else
                Normalize(image, destination);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(scratch);
        }
    }

    private void Normalize(ReadOnlySpan<byte> image, Span<float> destination)
    {
        var channels = pixels.Shape.Channels;
        for (var i = 0; i < image.Length; i += channels)
        {
            for (var c = 0; c < channels; c++)
                destination[i + c] = normalized[c][image[i + c]];
        }
    }

    /// <summary>Pads by 4 black pixels, crops back to size at one of 81 places, mirrors half of the images: three draws, in this order: down, right, mirror.</summary>
    private void CropFlip(ReadOnlySpan<byte> image, Philox random, Span<float> destination)
    {
        var (height, width, channels) = (pixels.Shape.Height, pixels.Shape.Width, pixels.Shape.Channels);
        var down = random.NextBelow((2 * Padding) + 1) - Padding;
        var right = random.NextBelow((2 * Padding) + 1) - Padding;
        var mirror = random.NextBelow(2) == 1;
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var fromY = y + down;
                var fromX = (mirror ? width - 1 - x : x) + right;
                var inside = (uint)fromY < (uint)height && (uint)fromX < (uint)width;
                var to = ((y * width) + x) * channels;
                var from = ((fromY * width) + fromX) * channels;
                for (var c = 0; c < channels; c++)
                    destination[to + c] = normalized[c][inside ? image[from + c] : 0];
            }
        }
    }
}
