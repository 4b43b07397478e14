using AdderNet.Core.Kernels;

namespace AdderNet.Core.Layers.Quantization;

/// <summary>
/// Buffers that all binarised layers of one network share: layers run one after another, and what one leaves here no other
/// reads. They grow to the largest size asked for; a buffer is at least as long as asked and holds any content.
/// </summary>
internal sealed class BinaryScratch
{
    private readonly Dictionary<(ConvolutionShape Shape, OneBitInput Kind), PackedWindows> windows = [];
    private float[] inputs = [];
    private float[] filters = [];
    private float[] gradient = [];
    private float[] inputScales = [];
    private float[] filterScales = [];
    private double[] magnitudes = [];
    private ulong[] pixelBits = [];
    private ulong[] filterBits = [];

    /// <summary>Binarised inputs.</summary>
    public float[] Inputs(int length) => Grown(ref inputs, length);

    /// <summary>Binarised filters.</summary>
    public float[] Filters(int length) => Grown(ref filters, length);

    /// <summary>Scaled output gradients.</summary>
    public float[] Gradient(int length) => Grown(ref gradient, length);

    /// <summary>A factor for each output position.</summary>
    public float[] InputScales(int length) => Grown(ref inputScales, length);

    /// <summary>A factor for each filter.</summary>
    public float[] FilterScales(int length) => Grown(ref filterScales, length);

    /// <summary>Mean absolute values of pixels or of filters.</summary>
    public double[] Magnitudes(int length) => Grown(ref magnitudes, length);

    /// <summary>Bits of the input's pixels.</summary>
    public ulong[] PixelBits(int words) => Grown(ref pixelBits, words);

    /// <summary>Bits of the filters.</summary>
    public ulong[] FilterBits(int words) => Grown(ref filterBits, words);

    /// <summary>Windows of a layer's passes.</summary>
    public PackedWindows Windows(in ConvolutionShape shape, OneBitInput kind, int threads)
    {
        if (!windows.TryGetValue((shape, kind), out var known))
            windows.Add((shape, kind), known = new PackedWindows(shape, kind, threads));
        return known;
    }

    private static T[] Grown<T>(ref T[] buffer, int length)
    {
        if (buffer.Length < length)
            buffer = new T[length];
        return buffer;
    }
}
