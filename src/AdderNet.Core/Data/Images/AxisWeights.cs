namespace AdderNet.Core.Data.Images;

/// <summary>A stretch of one axis of a picture.</summary>
/// <param name="First">The first pixel that may be looked at.</param>
/// <param name="Count">How many may be.</param>
/// <param name="Offset">Where the stretch begins, in pixels behind First; 0 unless the picture was decoded to a fraction of its size.</param>
/// <param name="Length">How long it is, in pixels; Count unless the picture was decoded to a fraction of its size.</param>
internal readonly record struct Stretch(int First, int Count, double Offset, double Length)
{
    /// <summary>Whole pixels.</summary>
    public Stretch(int first, int count)
        : this(first, count, 0, count)
    {
    }

    /// <summary>The same stretch of a picture decoded to a fraction of its size.</summary>
    public Stretch Reduce(int reduction)
    {
        if (reduction == 1)
            return this;
        var first = First / reduction;
        return new Stretch(first, JpegDecoder.Reduced(First + Count, reduction) - first, ((double)First / reduction) - first, (double)Count / reduction);
    }
}

/// <summary>
/// Which pixels of one axis make each resampled pixel, and with what weight: a triangle as wide as two input pixels or, when
/// shrinking, two output pixels, in fixed point of 22 bits. The rule of Pillow's <c>Image.resize(BILINEAR)</c> and so of
/// torchvision, for equal bits: double arithmetic, weights divided by their sum, rounded half up.
/// </summary>
internal sealed class AxisWeights
{
    /// <summary>Bits of a weight's fraction.</summary>
    public const int Precision = 22;

    /// <summary>Half of the last place that is kept.</summary>
    public const int Half = 1 << (Precision - 1);

    private double[] exact = [];

    /// <summary>For each output, the first input that counts, in pixels of the picture.</summary>
    public int[] Start { get; private set; } = [];

    /// <summary>For each output, how many inputs count.</summary>
    public int[] Taps { get; private set; } = [];

    /// <summary>Weights, <see cref="Stride"/> for each output.</summary>
    public int[] Weights { get; private set; } = [];

    /// <summary>Places for the weights of one output.</summary>
    public int Stride { get; private set; }

    /// <summary>Outputs.</summary>
    public int Count { get; private set; }

    /// <summary>The first input that any output looks at.</summary>
    public int FirstInput => Start[0];

    /// <summary>Behind the last input that any output looks at.</summary>
    public int EndInput => Start[Count - 1] + Taps[Count - 1];

    /// <summary>Computes the weights of a window of the outputs.</summary>
    /// <param name="from">What is resampled.</param>
    /// <param name="outputs">To how many pixels, all of it.</param>
    /// <param name="first">The first output wanted.</param>
    /// <param name="count">How many are wanted.</param>
    public void Compute(Stretch from, int outputs, int first, int count)
    {
        var scale = from.Length / outputs;
        var support = Math.Max(scale, 1.0);
        Reserve(count, ((int)Math.Ceiling(support) * 2) + 1);
        for (var i = 0; i < count; i++)
        {
            var center = from.Offset + ((first + i + 0.5) * scale);
            var begin = Math.Max((int)(center - support + 0.5), 0);
            var end = Math.Min((int)(center + support + 0.5), from.Count);
            Start[i] = from.First + begin;
            Taps[i] = end - begin;
            Weigh(begin, end - begin, center, 1.0 / support, Weights.AsSpan(i * Stride, Stride));
        }
    }

    private void Weigh(int begin, int taps, double center, double narrowing, Span<int> weights)
    {
        var sum = 0.0;
        for (var t = 0; t < taps; t++)
        {
            var distance = Math.Abs((t + begin - center + 0.5) * narrowing);
            exact[t] = distance < 1.0 ? 1.0 - distance : 0.0;
            sum += exact[t];
        }

        for (var t = 0; t < taps; t++)
            weights[t] = (int)(0.5 + (exact[t] / sum * (1 << Precision)));
    }

    private void Reserve(int count, int stride)
    {
        if (Start.Length < count)
            (Start, Taps) = (new int[count], new int[count]);
        if (Weights.Length < count * stride)
            Weights = new int[count * stride];
        if (exact.Length < stride)
            exact = new double[stride];
        (Count, Stride) = (count, stride);
    }
}
