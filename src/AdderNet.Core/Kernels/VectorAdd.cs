using System.Numerics;

namespace AdderNet.Core.Kernels;

/// <summary>Elementwise sums and quotients of flat buffers: what the shard tree is made of.</summary>
internal static class VectorAdd
{
    /// <summary>destination[i] += source[i]; equal lengths.</summary>
    public static void Accumulate(Span<float> destination, ReadOnlySpan<float> source) => Sum(destination, source, destination);

    /// <summary>destination[i] = left[i] + right[i]; equal lengths; the destination may be either operand.</summary>
    public static void Sum(ReadOnlySpan<float> left, ReadOnlySpan<float> right, Span<float> destination)
    {
        Lengths.MustAgree(left.Length, right.Length, destination.Length);
        var i = 0;
        if (Vector.IsHardwareAccelerated)
        {
            for (; i <= destination.Length - Vector<float>.Count; i += Vector<float>.Count)
                (new Vector<float>(left[i..]) + new Vector<float>(right[i..])).CopyTo(destination[i..]);
        }

        for (; i < destination.Length; i++)
            destination[i] = left[i] + right[i];
    }

    /// <summary>values[i] /= divisor: true division, not multiplication by a reciprocal.</summary>
    public static void Divide(Span<float> values, float divisor)
    {
        var i = 0;
        if (Vector.IsHardwareAccelerated)
        {
            var divisors = new Vector<float>(divisor);
            for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
                (new Vector<float>(values[i..]) / divisors).CopyTo(values[i..]);
        }

        for (; i < values.Length; i++)
            values[i] /= divisor;
    }

    /// <summary>values[i] *= factor.</summary>
    public static void Scale(Span<float> values, float factor)
    {
        var i = 0;
        if (Vector.IsHardwareAccelerated)
        {
            var factors = new Vector<float>(factor);
            for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
                (new Vector<float>(values[i..]) * factors).CopyTo(values[i..]);
        }

        for (; i < values.Length; i++)
            values[i] *= factor;
    }
}
