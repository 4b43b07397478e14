using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using AdderNet.Core.Kernels;
using AdderNet.Core.Layers;

namespace AdderNet.Cli.Benchmarks;

/// <summary>
/// Loops without arithmetic: they read and write the maps that a pass must read and write at least once, and only those parts of
/// them. What they take is what the memory system allows a pass at most. Filters, which every position shares, stay out.
/// </summary>
/// <param name="shape">The layer.</param>
internal sealed class MemoryLoop(ConvolutionShape shape)
{
    private readonly bool[] rows = Met(shape.H, shape.KernelHeight, shape.OutHeight, shape);
    private readonly bool[] columns = Met(shape.W, shape.KernelWidth, shape.OutWidth, shape);
    private readonly bool pastCaches = Vector512.IsHardwareAccelerated && CachedMaps.Outgrown(shape with { N = SampleRuns.Of(shape) });
    private Vector<float> kept;

    /// <summary>Reads the pixels of a map [N, H, W, C] that some window meets.</summary>
    public void ReadInputs(ReadOnlySpan<float> x)
    {
        var all = !columns.Contains(false);
        for (var row = 0; row < shape.N * shape.H; row++)
        {
            if (!rows[row % shape.H])
                continue;
            var map = x.Slice(row * shape.W * shape.C, shape.W * shape.C);
            if (all)
                Read(map);
            for (var column = 0; column < shape.W && !all; column++)
            {
                if (columns[column])
                    Read(map.Slice(column * shape.C, shape.C));
            }
        }
    }

    /// <summary>Reads all of a map.</summary>
    public void Read(ReadOnlySpan<float> map)
    {
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(map);
        Vector<float> a = default, b = default;
        var i = 0;
        for (; i < vectors.Length - 1; i += 2)
        {
            a |= vectors[i];
            b |= vectors[i + 1];
        }

        kept |= a | b | (i < vectors.Length ? vectors[i] : default);
    }

    /// <summary>Writes all of a map [pixels, channels], past the caches where passes do.</summary>
    public unsafe void Write(Span<float> map, int channels)
    {
        if (!pastCaches || channels % Vector512<float>.Count != 0)
        {
            map.Fill(1f);
            return;
        }

        fixed (float* first = map)
        {
            for (nint i = 0; i < map.Length; i += Vector512<float>.Count)
                Vector512<float>.One.StoreAlignedNonTemporal(first + i);
        }

        Sse.StoreFence();
    }

    private static bool[] Met(int size, int kernel, int outputs, ConvolutionShape shape)
    {
        var met = new bool[size];
        for (var output = 0; output < outputs; output++)
        {
            for (var tap = 0; tap < kernel; tap++)
            {
                var place = output * shape.Stride - shape.Padding + tap;
                if (place >= 0 && place < size)
                    met[place] = true;
            }
        }

        return met;
    }
}
