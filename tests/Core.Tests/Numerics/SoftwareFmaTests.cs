using System.Runtime.Intrinsics;
using AdderNet.Core.Numerics;
using Xunit;

namespace AdderNet.Core.Tests.Numerics;

public class SoftwareFmaTests
{
    private static readonly float[] Adversarial = BuildAdversarial();

    [Fact]
    public void Random_bit_patterns_give_the_bits_of_the_fused_instruction()
    {
        var stream = new Philox(21, DrawPurpose.Probe);
        for (var i = 0; i < 300_000; i++)
        {
            var a = BitConverter.UInt32BitsToSingle(stream.NextUInt32());
            var b = BitConverter.UInt32BitsToSingle(stream.NextUInt32());
            var c = BitConverter.UInt32BitsToSingle(stream.NextUInt32());
            AssertFused(a, b, c);
        }
    }

    [Fact]
    public void Sums_that_nearly_cancel_or_tie_round_once()
    {
        var stream = new Philox(22, DrawPurpose.Probe);
        for (var i = 0; i < 300_000; i++)
        {
            var a = 1f + stream.NextBelow(1 << 23) / (float)(1 << 23);
            var b = 1f + stream.NextBelow(1 << 12) / (float)(1 << 12);
            var scale = stream.NextBelow(60) - 30;
            var c = Scale(i % 2 == 0 ? -a * b : a, scale + stream.NextBelow(5) - 2);
            AssertFused(Scale(a, scale), b, c);
            AssertFused(Scale(a, -126 + stream.NextBelow(20) - 10), Scale(b, stream.NextBelow(40) - 30), Scale(c, -140));
        }
    }

    [Fact]
    public void Every_triple_of_extreme_values_gives_the_bits_of_the_fused_instruction()
    {
        foreach (var a in Adversarial)
        {
            foreach (var b in Adversarial)
            {
                foreach (var c in Adversarial)
                    AssertFused(a, b, c);
            }
        }
    }

    private static void AssertFused(float a, float b, float c)
    {
        var expected = MathF.FusedMultiplyAdd(a, b, c);
        var scalar = SoftwareFma.MultiplyAdd(a, b, c);
        var vector = SoftwareFma.MultiplyAdd(Vector128.Create(a), Vector128.Create(b), Vector128.Create(c));
        if (float.IsNaN(expected))
        {
            Assert.True(float.IsNaN(scalar) && float.IsNaN(vector[0]) && float.IsNaN(vector[3]), $"fma({a:R}, {b:R}, {c:R})");
            return;
        }

        var bits = BitConverter.SingleToInt32Bits(expected);
        if (bits != BitConverter.SingleToInt32Bits(scalar) || bits != BitConverter.SingleToInt32Bits(vector[0]) || bits != BitConverter.SingleToInt32Bits(vector[3]))
            Assert.Fail($"fma({a:R}, {b:R}, {c:R}) is {expected:R}, scalar {scalar:R}, vector {vector}");
    }

    private static float Scale(float value, int exponent) => (float)Math.ScaleB((double)value, exponent);

    private static float[] BuildAdversarial()
    {
        var magnitudes = new List<float> { 0f, float.Epsilon, 2 * float.Epsilon, 3 * float.Epsilon, float.MaxValue, float.PositiveInfinity, float.NaN, 1f, 1.5f, 2f, 3f };
        foreach (var power in new[] { -149, -126, -125, -75, -74, -25, -24, -12, -1, 11, 23, 24, 63, 64, 127 })
        {
            magnitudes.Add(Scale(1f, power));
            magnitudes.Add(MathF.BitIncrement(Scale(1f, power)));
            magnitudes.Add(MathF.BitDecrement(Scale(1f, power)));
        }

        return [.. magnitudes, .. magnitudes.Select(m => -m)];
    }
}
