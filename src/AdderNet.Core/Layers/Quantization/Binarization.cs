using System.Numerics;

namespace AdderNet.Core.Layers.Quantization;

/// <summary>Elementwise steps of the binary methods. Elements are independent: vector width and threads change no bit.</summary>
internal static class Binarization
{
    /// <summary>Above it an input of one level is 1: clip(x, 0, 1) rounded, the half to even, that is to 0.</summary>
    public const float Level = 0.5f;

    /// <summary>+1 where a value is at least 0 (-0 is), else -1: sign as BinaryConnect and XNOR-Net take it.</summary>
    public static void Signs(ReadOnlySpan<float> values, Span<float> signs)
    {
        var i = 0;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var positive = Vector.GreaterThanOrEqual(new Vector<float>(values[i..]), Vector<float>.Zero);
            Vector.ConditionalSelect(positive, Vector<float>.One, -Vector<float>.One).CopyTo(signs[i..]);
        }

        for (; i < values.Length; i++)
            signs[i] = values[i] >= 0 ? 1 : -1;
    }

    /// <summary>1 where a value is above <see cref="Level"/>, else 0.</summary>
    public static void Levels(ReadOnlySpan<float> values, Span<float> levels)
    {
        var i = 0;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var above = Vector.GreaterThan(new Vector<float>(values[i..]), new Vector<float>(Level));
            Vector.ConditionalSelect(above, Vector<float>.One, Vector<float>.Zero).CopyTo(levels[i..]);
        }

        for (; i < values.Length; i++)
            levels[i] = values[i] > Level ? 1 : 0;
    }

    /// <summary>values = factor * values.</summary>
    public static void Scale(Span<float> values, float factor)
    {
        var i = 0;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
            (new Vector<float>(values[i..]) * factor).CopyTo(values[i..]);
        for (; i < values.Length; i++)
            values[i] *= factor;
    }

    /// <summary>g = factor * g where low &lt;= x &lt;= high, else 0: the straight-through estimator of a clipped step.</summary>
    public static void PassInside(Span<float> g, ReadOnlySpan<float> x, float low, float high, float factor)
    {
        var i = 0;
        for (; i <= g.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var value = new Vector<float>(x[i..]);
            var inside = Vector.GreaterThanOrEqual(value, new Vector<float>(low)) & Vector.LessThanOrEqual(value, new Vector<float>(high));
            Vector.ConditionalSelect(inside, new Vector<float>(g[i..]) * factor, Vector<float>.Zero).CopyTo(g[i..]);
        }

        for (; i < g.Length; i++)
            g[i] = x[i] >= low && x[i] <= high ? g[i] * factor : 0;
    }

    /// <summary>Mean absolute value: summed in double, one element after another.</summary>
    public static double MeanMagnitude(ReadOnlySpan<float> values)
    {
        var sum = 0.0;
        foreach (var value in values)
            sum += Math.Abs((double)value);
        return sum / values.Length;
    }
}
