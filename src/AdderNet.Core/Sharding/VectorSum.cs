using System.Numerics;
using System.Runtime.InteropServices;

namespace AdderNet.Core.Sharding;

/// <summary>Elementwise sums and quotients: each element stands alone, so the vector width changes no bit.</summary>
internal static class VectorSum
{
    /// <summary>left[i] = left[i] + right[i].</summary>
    public static void AddRight(Span<float> left, ReadOnlySpan<float> right)
    {
        if (left.Length != right.Length)
            throw new ArgumentException($"Cannot add a vector of {right.Length} elements to one of {left.Length}.", nameof(right));
        var l = MemoryMarshal.Cast<float, Vector<float>>(left);
        var r = MemoryMarshal.Cast<float, Vector<float>>(right);
        for (var i = 0; i < l.Length; i++)
            l[i] += r[i];
        for (var i = l.Length * Vector<float>.Count; i < left.Length; i++)
            left[i] += right[i];
    }

    /// <summary>right[i] = left[i] + right[i].</summary>
    public static void AddLeft(ReadOnlySpan<float> left, Span<float> right)
    {
        if (left.Length != right.Length)
            throw new ArgumentException($"Cannot add a vector of {left.Length} elements to one of {right.Length}.", nameof(left));
        var l = MemoryMarshal.Cast<float, Vector<float>>(left);
        var r = MemoryMarshal.Cast<float, Vector<float>>(right);
        for (var i = 0; i < r.Length; i++)
            r[i] = l[i] + r[i];
        for (var i = r.Length * Vector<float>.Count; i < right.Length; i++)
            right[i] = left[i] + right[i];
    }

    /// <summary>quotient[i] = values[i] / divisor, by true division.</summary>
    public static void Divide(ReadOnlySpan<float> values, float divisor, Span<float> quotient)
    {
        var v = MemoryMarshal.Cast<float, Vector<float>>(values);
        var q = MemoryMarshal.Cast<float, Vector<float>>(quotient);
        var d = new Vector<float>(divisor);
        for (var i = 0; i < v.Length; i++)
            q[i] = v[i] / d;
        for (var i = v.Length * Vector<float>.Count; i < values.Length; i++)
            quotient[i] = values[i] / divisor;
    }
}
