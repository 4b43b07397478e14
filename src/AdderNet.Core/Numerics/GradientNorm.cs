using System.Runtime.Intrinsics;

namespace AdderNet.Core.Numerics;

/// <summary>
/// The L2 norm of the adaptive rate (paper, eq. 12-13), in double. Squares of float32 values are exact in double, so fused and
/// unfused sums agree. Order: blocks of 4096 elements; within a block element i goes to lane i mod 16, in order; lanes fold
/// 16 to 8 to 4 to 2 to 1 (lane j takes lane j + half); blocks combine by binary carry (block 2i + block 2i+1, and so on
/// upward), what is left over at the end from the smallest subtree to the largest.
/// </summary>
internal static class GradientNorm
{
    internal const int BlockLength = 4096;
    private const int Lanes = 16;

    /// <summary>Square root of the sum of squares; 0 for an empty span.</summary>
    public static double L2(ReadOnlySpan<float> values) => Math.Sqrt(SumOfSquares(values, Vector128.IsHardwareAccelerated));

    internal static double SumOfSquares(ReadOnlySpan<float> values, bool vectors)
    {
        // pending[l] holds the finished sum of a subtree of 2^l blocks while bit l of the block count is set.
        Span<double> pending = stackalloc double[32];
        Span<double> lanes = stackalloc double[Lanes];
        var blocks = 0;
        for (var first = 0; first < values.Length; first += BlockLength)
        {
            var block = values.Slice(first, Math.Min(BlockLength, values.Length - first));
            if (vectors)
                AddVectors(block, lanes);
            else
                AddScalars(block, lanes);
            var sum = Fold(lanes);
            var level = 0;
            for (var carry = blocks; (carry & 1) != 0; carry >>= 1)
                sum = pending[level++] + sum;
            pending[level] = sum;
            blocks++;
        }

        var total = 0.0;
        for (var level = 0; level < pending.Length; level++)
        {
            if ((blocks >> level & 1) != 0)
                total = pending[level] + total;
        }

        return total;
    }

    private static void AddScalars(ReadOnlySpan<float> block, Span<double> lanes)
    {
        lanes.Clear();
        for (var i = 0; i < block.Length; i++)
        {
            double value = block[i];
            lanes[i % Lanes] += value * value;
        }
    }

    private static void AddVectors(ReadOnlySpan<float> block, Span<double> lanes)
    {
        var (sum0, sum1, sum2, sum3) = (Vector256<double>.Zero, Vector256<double>.Zero, Vector256<double>.Zero, Vector256<double>.Zero);
        var whole = block.Length - block.Length % Lanes;
        for (var i = 0; i < whole; i += Lanes)
        {
            var (value0, value1) = Vector256.Widen(Vector256.Create(block.Slice(i, 8)));
            var (value2, value3) = Vector256.Widen(Vector256.Create(block.Slice(i + 8, 8)));
            sum0 += value0 * value0;
            sum1 += value1 * value1;
            sum2 += value2 * value2;
            sum3 += value3 * value3;
        }

        sum0.CopyTo(lanes);
        sum1.CopyTo(lanes[4..]);
        sum2.CopyTo(lanes[8..]);
        sum3.CopyTo(lanes[12..]);
        for (var i = whole; i < block.Length; i++)
        {
            double value = block[i];
            lanes[i - whole] += value * value;
        }
    }

    private static double Fold(Span<double> lanes)
    {
        for (var half = Lanes / 2; half > 0; half /= 2)
        {
            for (var lane = 0; lane < half; lane++)
                lanes[lane] += lanes[lane + half];
        }

        return lanes[0];
    }
}
