using System.Numerics;
using System.Runtime.InteropServices;

namespace AdderNet.Core.Layers;

/// <summary>Loops over independent elements: vector width and threads change no bit.</summary>
internal static class ElementLoops
{
    private const int ExponentMask = 0x7F800000;

    /// <summary>y = x where x is above 0, else 0 (also for a NaN and for -0).</summary>
    public static void Relu(ReadOnlySpan<float> x, Span<float> y)
    {
        var i = 0;
        for (; i <= x.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var value = new Vector<float>(x[i..]);
            Vector.ConditionalSelect(Vector.GreaterThan(value, Vector<float>.Zero), value, Vector<float>.Zero).CopyTo(y[i..]);
        }

        for (; i < x.Length; i++)
            y[i] = x[i] > 0 ? x[i] : 0;
    }

    /// <summary>g = g where y is above 0, else 0.</summary>
    public static void ReluGradient(ReadOnlySpan<float> y, Span<float> g)
    {
        var i = 0;
        for (; i <= y.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var open = Vector.GreaterThan(new Vector<float>(y[i..]), Vector<float>.Zero);
            Vector.ConditionalSelect(open, new Vector<float>(g[i..]), Vector<float>.Zero).CopyTo(g[i..]);
        }

        for (; i < y.Length; i++)
            g[i] = y[i] > 0 ? g[i] : 0;
    }

    /// <summary>sum = a + b.</summary>
    public static void Add(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> sum)
    {
        var i = 0;
        for (; i <= a.Length - Vector<float>.Count; i += Vector<float>.Count)
            (new Vector<float>(a[i..]) + new Vector<float>(b[i..])).CopyTo(sum[i..]);
        for (; i < a.Length; i++)
            sum[i] = a[i] + b[i];
    }

    /// <summary>Whether no element is infinite or a NaN: a test of bits, which needs no arithmetic.</summary>
    public static bool AllFinite(ReadOnlySpan<float> values)
    {
        var bits = MemoryMarshal.Cast<float, int>(values);
        var mask = new Vector<int>(ExponentMask);
        var found = Vector<int>.Zero;
        var i = 0;
        for (; i <= bits.Length - Vector<int>.Count; i += Vector<int>.Count)
            found |= Vector.Equals(new Vector<int>(bits[i..]) & mask, mask);
        if (found != Vector<int>.Zero)
            return false;
        for (; i < bits.Length; i++)
        {
            if ((bits[i] & ExponentMask) == ExponentMask)
                return false;
        }

        return true;
    }
}
