using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace AdderNet.Core.Numerics;

/// <summary>
/// Exactly rounded float32 fused multiply-add for processors without the instruction, where the C library's is slow. The
/// product of two float32 values is exact in double; the sum is rounded to odd, which keeps what a second rounding to float32
/// needs (53 bits are at least 2 * 24 + 2), so the conversion rounds once in effect. Works for subnormals, overflow and infinities.
/// </summary>
internal static class SoftwareFma
{
    /// <summary>a * b + c, rounded once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MultiplyAdd(float a, float b, float c)
    {
        var product = (double)a * b;
        double addend = c;
        var sum = product + addend;
        var shadow = sum - product;
        var lost = (product - (sum - shadow)) + (addend - shadow);

        // NaN (from infinities) compares unequal to neither side: such sums are left alone.
        if (lost < 0 || lost > 0)
            sum = TowardOdd(sum, lost);
        return (float)sum;
    }

    /// <summary>The same on each lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> MultiplyAdd(Vector128<float> a, Vector128<float> b, Vector128<float> c)
    {
        var (a0, a1) = Vector128.Widen(a);
        var (b0, b1) = Vector128.Widen(b);
        var (c0, c1) = Vector128.Widen(c);
        return Vector128.Narrow(OddSum(a0 * b0, c0), OddSum(a1 * b1, c1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<double> OddSum(Vector128<double> product, Vector128<double> addend)
    {
        var sum = product + addend;
        var shadow = sum - product;
        var lost = (product - (sum - shadow)) + (addend - shadow);
        var above = Vector128.GreaterThan(lost, Vector128<double>.Zero).AsInt64();
        var below = Vector128.LessThan(lost, Vector128<double>.Zero).AsInt64();
        var bits = sum.AsInt64();

        // All ones where the sum's magnitude must shrink toward the lost part: their signs differ.
        var negative = Vector128.LessThan(sum, Vector128<double>.Zero).AsInt64();
        var inexact = above | below;
        var shrink = (below ^ negative) & inexact;

        // Truncate toward zero (one unit down where the rounding went up), then set the last bit.
        return ((bits + shrink) | (inexact & Vector128<long>.One)).AsDouble();
    }

    /// <summary>Truncates (one unit down where the rounding went up, that is where the signs differ) and sets the last bit; without a branch to mispredict.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double TowardOdd(double sum, double lost)
    {
        var bits = BitConverter.DoubleToInt64Bits(sum);
        var signsDiffer = (bits ^ BitConverter.DoubleToInt64Bits(lost)) >> 63;
        return BitConverter.Int64BitsToDouble((bits + signsDiffer) | 1);
    }
}
