using System.Numerics;
using System.Runtime.Intrinsics;
using AdderNet.Core.Kernels;

namespace AdderNet.Core.Layers.Quantization;

/// <summary>What one bit of an input stands for.</summary>
internal enum OneBitInput
{
    /// <summary>+1 for x >= 0, else -1; a padded element counts 0.</summary>
    Sign,

    /// <summary>1 for x above <see cref="Binarization.Level"/>, else 0.</summary>
    Level,
}

/// <summary>
/// Convolution of one-bit inputs with the signs of filters, 64 products at a time: XOR, mask, population count. A sum over
/// the m elements that the mask holds is m - 2 (elements whose bits differ). Sums are integers below 2^24, so they are the
/// exact values that a convolution in floats of the same operands has.
/// </summary>
internal static class PackedConvolution
{
    private const int WordBits = 64;

    /// <summary>Y[p,t] = sum_k bit(X[p,k]) sign(F[t,k]).</summary>
    /// <param name="shape">The geometry.</param>
    /// <param name="kind">What inputs are cut to.</param>
    /// <param name="x">Real-valued inputs, [N, H, W, C].</param>
    /// <param name="filters">Real-valued filters, canonical [T, C, KernelHeight, KernelWidth].</param>
    /// <param name="y">Outputs, [N, OutHeight, OutWidth, T].</param>
    /// <param name="scratch">Room for the bits.</param>
    /// <param name="threads">Threads to split pixels, filters and positions over.</param>
    public static void Forward(
        ConvolutionShape shape, OneBitInput kind, ReadOnlyMemory<float> x, ReadOnlyMemory<float> filters, Memory<float> y, BinaryScratch scratch, ComputeThreads threads)
    {
        var pixelWords = Words(shape.C);
        var filterWords = Words(shape.FilterElements);
        var pixels = scratch.PixelBits(checked(shape.N * shape.H * shape.W * pixelWords));
        var signs = scratch.FilterBits(checked(shape.T * filterWords));
        threads.Split(shape.N * shape.H * shape.W, new PixelJob(kind, x, shape.C, pixels), 1 + BinaryPasses.ThreadElements / shape.C);
        threads.Split(shape.T, new FilterJob(shape, filters, signs), 1 + BinaryPasses.ThreadElements / shape.FilterElements);
        threads.Split(shape.Positions, new MultiplyJob(scratch.Windows(shape, kind, threads.Count), pixels, signs, y), 1 + BinaryPasses.ThreadElements / (shape.T * filterWords));
    }

    /// <summary>Words that hold a number of bits.</summary>
    public static int Words(int bits) => (bits + WordBits - 1) / WordBits;

    private readonly struct PixelJob(OneBitInput kind, ReadOnlyMemory<float> x, int channels, ulong[] pixels) : ISplitJob
    {
        public void Run(int first, int end)
        {
            var words = Words(channels);
            for (var i = first; i < end; i++)
                PackPixel(x.Span.Slice(i * channels, channels), kind, pixels.AsSpan(i * words, words));
        }
    }

    private readonly struct FilterJob(ConvolutionShape shape, ReadOnlyMemory<float> filters, ulong[] signs) : ISplitJob
    {
        public void Run(int first, int end)
        {
            var words = Words(shape.FilterElements);
            for (var t = first; t < end; t++)
                PackFilter(shape, filters.Span.Slice(t * shape.FilterElements, shape.FilterElements), signs.AsSpan(t * words, words));
        }
    }

    private readonly struct MultiplyJob(PackedWindows windows, ulong[] pixels, ulong[] signs, Memory<float> y) : ISplitJob
    {
        public void Run(int first, int end)
        {
            var window = windows.Rent();
            var filters = windows.Shape.T;
            for (var p = first; p < end; p++)
            {
                window.Fill(pixels, p);
                Multiply(window, signs, y.Span.Slice(p * filters, filters));
            }

            windows.Return(window);
        }
    }

    private static void Multiply(PackedWindow window, ulong[] signs, Span<float> y)
    {
        var (bits, mask, present) = (window.Bits, window.Mask, window.Present);
        for (var t = 0; t < y.Length; t++)
        {
            var filter = signs.AsSpan(t * bits.Length, bits.Length);
            var differing = 0;
            for (var i = 0; i < filter.Length; i++)
                differing += BitOperations.PopCount((bits[i] ^ filter[i]) & mask[i]);
            y[t] = present - 2 * differing;
        }
    }

    private static void PackPixel(ReadOnlySpan<float> values, OneBitInput kind, Span<ulong> words)
    {
        for (var word = 0; word < words.Length; word++)
        {
            var part = values.Slice(word * WordBits, Math.Min(WordBits, values.Length - word * WordBits));
            var bits = 0ul;
            var i = 0;
            for (; i <= part.Length - Vector256<float>.Count; i += Vector256<float>.Count)
            {
                var value = Vector256.Create(part[i..]);
                var set = kind == OneBitInput.Sign
                    ? Vector256.GreaterThanOrEqual(value, Vector256<float>.Zero)
                    : Vector256.GreaterThan(value, Vector256.Create(Binarization.Level));
                bits |= (ulong)set.ExtractMostSignificantBits() << i;
            }

            for (; i < part.Length; i++)
                bits |= (kind == OneBitInput.Sign ? part[i] >= 0 : part[i] > Binarization.Level) ? 1ul << i : 0;
            words[word] = bits;
        }
    }

    /// <summary>Signs in the order of a window: tap row, tap column, channel.</summary>
    private static void PackFilter(in ConvolutionShape shape, ReadOnlySpan<float> filter, Span<ulong> words)
    {
        var taps = shape.KernelHeight * shape.KernelWidth;
        var (bits, count, word) = (0ul, 0, 0);
        for (var tap = 0; tap < taps; tap++)
        {
            for (var at = tap; at < filter.Length; at += taps)
            {
                bits |= (filter[at] >= 0 ? 1ul : 0) << count;
                if (++count < WordBits)
                    continue;
                words[word++] = bits;
                (bits, count) = (0, 0);
            }
        }

        if (count > 0)
            words[word] = bits;
    }
}
