using System.Numerics;
using AdderNet.Core.Kernels;

namespace AdderNet.Core.Layers.Quantization;

/// <summary>The bits that one output position reads, without gaps, in the order tap row, tap column, channel.</summary>
internal sealed class PackedWindow
{
    private const int WordBits = 64;
    private readonly ConvolutionShape shape;
    private readonly OneBitInput kind;
    private readonly ulong[] allChannels;
    private readonly ulong[] someTaps;
    private readonly ulong[] allTaps;
    private int next;

    public PackedWindow(in ConvolutionShape shape, OneBitInput kind)
    {
        this.shape = shape;
        this.kind = kind;
        Bits = new ulong[PackedConvolution.Words(shape.FilterElements)];
        allChannels = Ones(shape.C);
        allTaps = Ones(shape.FilterElements);
        someTaps = new ulong[Bits.Length];
        Mask = Bits;
    }

    /// <summary>The inputs.</summary>
    public ulong[] Bits { get; }

    /// <summary>Set where an element counts.</summary>
    public ulong[] Mask { get; private set; }

    /// <summary>Elements that count.</summary>
    public int Present { get; private set; }

    /// <summary>Takes the bits of a position.</summary>
    /// <param name="pixels">Packed pixels, each beginning a word.</param>
    /// <param name="position">Index of the output position.</param>
    public void Fill(ulong[] pixels, int position)
    {
        Array.Clear(Bits);
        next = 0;
        var (n, outRow) = Math.DivRem(position / shape.OutWidth, shape.OutHeight);
        var top = outRow * shape.Stride - shape.Padding;
        var left = position % shape.OutWidth * shape.Stride - shape.Padding;
        var inside = top >= 0 && top + shape.KernelHeight <= shape.H && left >= 0 && left + shape.KernelWidth <= shape.W;
        // A 0 of OneBitInput.Level adds nothing, so its ones are the elements that count.
        Mask = kind == OneBitInput.Level ? Bits : inside ? allTaps : someTaps;
        if (Mask == someTaps)
            Array.Clear(someTaps);
        for (var row = top; row < top + shape.KernelHeight; row++)
        {
            for (var column = left; column < left + shape.KernelWidth; column++)
            {
                if (inside || (row >= 0 && row < shape.H && column >= 0 && column < shape.W))
                {
                    Place(pixels.AsSpan(((n * shape.H + row) * shape.W + column) * allChannels.Length, allChannels.Length), Bits);
                    if (Mask == someTaps)
                        Place(allChannels, someTaps);
                }

                next += shape.C;
            }
        }

        Present = 0;
        foreach (var word in Mask)
            Present += BitOperations.PopCount(word);
    }

    private static ulong[] Ones(int bits)
    {
        var words = new ulong[PackedConvolution.Words(bits)];
        Array.Fill(words, ulong.MaxValue);
        if (bits % WordBits != 0)
            words[^1] = (1ul << (bits % WordBits)) - 1;
        return words;
    }

    private void Place(ReadOnlySpan<ulong> pixel, ulong[] words)
    {
        for (var i = 0; i < pixel.Length; i++)
        {
            var (word, shift) = Math.DivRem(next + i * WordBits, WordBits);
            words[word] |= pixel[i] << shift;
            // What overflows the word is not empty only where there is a next one.
            if (shift != 0 && pixel[i] >> (WordBits - shift) is > 0 and var rest)
                words[word + 1] |= rest;
        }
    }
}
