using AdderNet.Core.Numerics;
using Xunit;

namespace AdderNet.Core.Tests.Numerics;

public class GradientNormTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(4096)]
    [InlineData(4097)]
    [InlineData(3 * 4096 + 777)]
    [InlineData(7 * 4096)]
    public void Vectors_and_scalars_give_the_same_bits_close_to_the_exact_norm(int length)
    {
        var stream = new Philox(4, DrawPurpose.Probe, (uint)length);
        var values = new float[length];
        for (var i = 0; i < length; i++)
            values[i] = (float)stream.NextNormal();

        var scalar = GradientNorm.SumOfSquares(values, vectors: false);
        var vector = GradientNorm.SumOfSquares(values, vectors: true);
        Assert.Equal(BitConverter.DoubleToInt64Bits(scalar), BitConverter.DoubleToInt64Bits(vector));

        var exact = 0m;
        foreach (var value in values)
            exact += (decimal)(double)value * (decimal)(double)value;
        Assert.Equal(Math.Sqrt((double)exact), GradientNorm.L2(values), 1e-9);
    }

    [Fact]
    public void Blocks_combine_by_binary_carry()
    {
        // One value a block; one after another, each of the small squares would vanish against 1.
        var values = new float[5 * GradientNorm.BlockLength];
        float[] roots = [1f, 0.9e-8f, 0.9e-8f, 0.9e-8f, 0.9e-8f];
        for (var block = 0; block < roots.Length; block++)
            values[block * GradientNorm.BlockLength] = roots[block];
        double Square(int i) => (double)roots[i] * roots[i];

        var expected = (Square(0) + Square(1)) + (Square(2) + Square(3)) + Square(4);
        Assert.Equal(expected, GradientNorm.SumOfSquares(values, vectors: true));
        Assert.NotEqual(1.0, expected);
    }

    [Fact]
    public void Infinities_come_through()
    {
        Assert.Equal(double.PositiveInfinity, GradientNorm.L2([1f, float.NegativeInfinity]));
        Assert.True(double.IsNaN(GradientNorm.L2([float.NaN, 1f])));
    }
}
