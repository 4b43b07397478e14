using AdderNet.Core.Kernels;
using AdderNet.Core.Numerics;
using Xunit;

namespace AdderNet.Core.Tests.Kernels;

public class ElementKernelsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(1003)]
    public void Flat_kernels_equal_plain_loops_in_bits(int length)
    {
        var (a, b, c) = (Draw(length, 1), Draw(length, 2), Draw(length, 3));
        var actual = new float[length];

        VectorAdd.Sum(a, b, actual);
        AssertBits(i => a[i] + b[i], actual);
        a.CopyTo(actual, 0);
        VectorAdd.Divide(actual, 3f);
        AssertBits(i => a[i] / 3f, actual);
        a.CopyTo(actual, 0);
        VectorAdd.Scale(actual, 3.3f);
        AssertBits(i => a[i] * 3.3f, actual);
        ElementKernels.ReluForward(a, actual);
        AssertBits(i => a[i] > 0 ? a[i] : 0f, actual);
        ElementKernels.ReluBackward(a, b, actual);
        AssertBits(i => a[i] > 0 ? b[i] : 0f, actual);
        ElementKernels.AddRelu(a, b, actual);
        AssertBits(i => a[i] + b[i] > 0 ? a[i] + b[i] : 0f, actual);

        foreach (var nesterov in new[] { false, true })
        {
            var weights = a.ToArray();
            var velocity = b.ToArray();
            ElementKernels.MomentumStep(weights, velocity, c, 2.5f, 0.1f, 0.9f, 5e-4f, nesterov);
            float Direction(int i) => c[i] * 2.5f + a[i] * 5e-4f;
            float Velocity(int i) => b[i] * 0.9f + Direction(i);
            AssertBits(Velocity, velocity);
            AssertBits(i => a[i] - (nesterov ? Direction(i) + Velocity(i) * 0.9f : Velocity(i)) * 0.1f, weights);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(33)]
    [InlineData(100)]
    public void A_non_finite_value_is_found_wherever_it_stands(int length)
    {
        var values = Draw(length, 4);
        values[0] = float.MaxValue;
        Assert.False(NonFinite.Any(values));
        foreach (var bad in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
        {
            for (var i = 0; i < length; i++)
            {
                var kept = values[i];
                values[i] = bad;
                Assert.True(NonFinite.Any(values));
                values[i] = kept;
            }
        }

        Assert.False(NonFinite.Any([]));
    }

    [Fact]
    public void Spans_of_unequal_length_are_refused()
    {
        Assert.Throws<ArgumentException>(() => VectorAdd.Accumulate(new float[3], new float[2]));
        Assert.Throws<ArgumentException>(() => ElementKernels.ReluForward(new float[3], new float[2]));
    }

    private static void AssertBits(Func<int, float> expected, float[] actual)
    {
        for (var i = 0; i < actual.Length; i++)
            Assert.Equal(BitConverter.SingleToInt32Bits(expected(i)), BitConverter.SingleToInt32Bits(actual[i]));
    }

    internal static float[] Draw(int length, uint item)
    {
        var stream = new Philox(31, DrawPurpose.Probe, item);
        var values = new float[length];
        for (var i = 0; i < length; i++)
            values[i] = (float)stream.NextNormal();
        return values;
    }
}
