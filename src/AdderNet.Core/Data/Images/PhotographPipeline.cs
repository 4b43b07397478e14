using System.Collections.Concurrent;
using AdderNet.Core.Configuration;
using AdderNet.Core.Numerics;

namespace AdderNet.Core.Data.Images;

/// <summary>
/// From an encoded JPEG or PNG to a normalised sample of size x size x 3 float32 values, channels last, with the same bits on
/// every machine. Safe for several threads; memory is reused, as much as threads have called at once.
/// </summary>
public sealed class PhotographPipeline : IDisposable
{
    private readonly ConcurrentBag<PhotographRenderer> idle = [];
    private readonly Augmentation augment;
    private readonly PhotographDecoding decoding;
    private readonly IResampler resampler;

    /// <param name="imageSize">Side of a sample in pixels, at least 1.</param>
    /// <param name="augment">How training samples are varied.</param>
    /// <param name="decoding">How much of a JPEG's resolution is decoded.</param>
    /// <exception cref="DataException">libjpeg-turbo or libpng is not installed.</exception>
    public PhotographPipeline(int imageSize, Augmentation augment, PhotographDecoding decoding = PhotographDecoding.Full)
        : this(imageSize, augment, decoding, VectorResampler.Best)
    {
    }

    internal PhotographPipeline(int imageSize, Augmentation augment, PhotographDecoding decoding, IResampler resampler)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(imageSize, 1);
        // Looked for now: a run should not find out at its first PNG.
        _ = (TurboJpeg.Library, LibPng.Library);
        (ImageSize, this.augment, this.decoding, this.resampler) = (imageSize, augment, decoding, resampler);
    }

    /// <summary>Side of a sample in pixels.</summary>
    public int ImageSize { get; }

    /// <summary>Values of a sample: size x size x 3.</summary>
    public int Elements => ImageSize * ImageSize * 3;

    /// <summary>Renders a sample as one epoch's training sees it: what is drawn depends on (seed, epoch, sample) alone.</summary>
    /// <param name="encoded">The whole file.</param>
    /// <param name="name">What an error calls it.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="epoch">Epoch, from 0, below 2^32.</param>
    /// <param name="sample">Sample index, from 0, below 2^32.</param>
    /// <param name="destination">Receives <see cref="Elements"/> values, channels last.</param>
    /// <exception cref="DataException">The picture cannot be decoded; the message is <paramref name="name"/> and the cause.</exception>
    public void RenderTraining(ReadOnlySpan<byte> encoded, string name, ulong seed, long epoch, long sample, Span<float> destination) =>
        Render(encoded, name, new Philox(unchecked((long)seed), DrawPurpose.Augmentation, checked((uint)sample), checked((uint)epoch)), destination);

    /// <summary>Renders a sample as evaluation sees it: the shorter side resized to 256/224 of the size, then the middle.</summary>
    /// <param name="encoded">The whole file.</param>
    /// <param name="name">What an error calls it.</param>
    /// <param name="destination">Receives <see cref="Elements"/> values, channels last.</param>
    /// <exception cref="DataException">The picture cannot be decoded; the message is <paramref name="name"/> and the cause.</exception>
    public void RenderEvaluation(ReadOnlySpan<byte> encoded, string name, Span<float> destination) => Render(encoded, name, null, destination);

    /// <summary>Decodes the whole of a picture, of which a sample may need only a part, and keeps nothing.</summary>
    /// <param name="encoded">The whole file.</param>
    /// <param name="name">What an error calls it.</param>
    /// <exception cref="DataException">The picture cannot be decoded; the message is <paramref name="name"/> and the cause.</exception>
    public void Check(ReadOnlySpan<byte> encoded, string name)
    {
        var renderer = Rent();
        try
        {
            renderer.Decode(encoded, PictureHeader.Read(encoded));
        }
        catch (UndecodableException e)
        {
            throw new DataException($"{name}: {e.Message}", e);
        }
        finally
        {
            idle.Add(renderer);
        }
    }

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        while (idle.TryTake(out var renderer))
            renderer.Dispose();
    }

    private void Render(ReadOnlySpan<byte> encoded, string name, Philox? random, Span<float> destination)
    {
        if (destination.Length != Elements)
            throw new ArgumentException($"a sample has {Elements} values, the destination {destination.Length}");
        var renderer = Rent();
        try
        {
            var header = PictureHeader.Read(encoded);
            var plan = random is { } draws
                ? CropPlan.Draw(augment, header.Width, header.Height, ImageSize, draws)
                : CropPlan.Centered(header.Width, header.Height, ImageSize);
            renderer.Render(encoded, header, plan, destination);
        }
        catch (UndecodableException e)
        {
            throw new DataException($"{name}: {e.Message}", e);
        }
        finally
        {
            idle.Add(renderer);
        }
    }

    private PhotographRenderer Rent() => idle.TryTake(out var renderer) ? renderer : new PhotographRenderer(ImageSize, decoding, resampler);
}
