using System.Numerics;

namespace AdderNet.Core.Kernels;

/// <summary>Looks for NaN and infinities.</summary>
internal static class NonFinite
{
    /// <summary>Whether any value is NaN or infinite.</summary>
    public static bool Any(ReadOnlySpan<float> values)
    {
        // x - x is +0 for finite x and NaN otherwise; NaN differs from itself.
        var i = 0;
        if (Vector.IsHardwareAccelerated)
        {
            var marks = Vector<float>.Zero;
            for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
            {
                var value = new Vector<float>(values[i..]);
                marks += value - value;
            }

            if (!Vector.EqualsAll(marks, Vector<float>.Zero))
                return true;
        }

        for (; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
                return true;
        }

        return false;
    }
}
