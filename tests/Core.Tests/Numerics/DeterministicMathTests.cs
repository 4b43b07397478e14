using AdderNet.Core.Numerics;
using Xunit;

namespace AdderNet.Core.Tests.Numerics;

public class DeterministicMathTests
{
    [Fact]
    public void Exp_stays_within_one_unit_in_the_last_place()
    {
        var stream = new Philox(11, DrawPurpose.Probe);
        var worst = 0.0;
        for (var i = 0; i < 400; i++)
        {
            var x = i % 4 == 0 ? -744.0 + 1453.0 * stream.NextDouble() : 4.0 * (stream.NextDouble() - 0.5) * (1 << i % 7);
            worst = Math.Max(worst, ExactSeries.UlpsBetween(DeterministicMath.Exp(x), ExactSeries.Exp(x)));
        }

        Assert.InRange(worst, 0.4, 1.0);
    }

    [Fact]
    public void Log_stays_within_one_unit_in_the_last_place()
    {
        var stream = new Philox(12, DrawPurpose.Probe);
        var worst = 0.0;
        for (var i = 0; i < 300; i++)
        {
            var x = (i % 3) switch
            {
                0 => stream.NextDouble(),
                1 => 1.0 + (stream.NextDouble() - 0.5) * Math.ScaleB(1, -(i % 40)),
                _ => Math.ScaleB(1.0 + stream.NextDouble(), stream.NextBelow(2090) - 1070),
            };
            worst = Math.Max(worst, ExactSeries.UlpsBetween(DeterministicMath.Log(x), ExactSeries.Log(x)));
        }

        Assert.InRange(worst, 0.4, 1.0);
    }

    [Fact]
    public void Cos_stays_within_one_unit_in_the_last_place_even_near_its_zeros()
    {
        var stream = new Philox(13, DrawPurpose.Probe);
        var worst = 0.0;
        for (var i = 0; i < 300; i++)
        {
            var x = (i % 4) switch
            {
                0 => 2.0 * Math.PI * stream.NextDouble(),
                1 => 1e6 * stream.NextDouble(),
                2 => stream.NextBelow(600_000) * (Math.PI / 2),
                _ => -Math.PI * stream.NextDouble(),
            };
            worst = Math.Max(worst, ExactSeries.UlpsBetween(DeterministicMath.Cos(x), ExactSeries.Cos(x)));
        }

        Assert.InRange(worst, 0.4, 1.0);
    }

    [Fact]
    public void Edges_of_the_domains_give_the_limits()
    {
        Assert.Equal(1.0, DeterministicMath.Exp(0.0));
        Assert.Equal(1.0, DeterministicMath.Exp(-0.0));
        Assert.Equal(1.0, DeterministicMath.Exp(double.Epsilon));
        Assert.Equal(double.PositiveInfinity, DeterministicMath.Exp(709.8));
        Assert.Equal(double.PositiveInfinity, DeterministicMath.Exp(double.PositiveInfinity));
        Assert.Equal(0.0, DeterministicMath.Exp(double.NegativeInfinity));
        Assert.Equal(0.0, DeterministicMath.Exp(-746));
        Assert.Equal(double.Epsilon, DeterministicMath.Exp(-744.9));
        Assert.True(double.IsFinite(DeterministicMath.Exp(709.782712893384)));
        Assert.True(double.IsNaN(DeterministicMath.Exp(double.NaN)));

        Assert.Equal(0.0, DeterministicMath.Log(1.0));
        Assert.Equal(double.NegativeInfinity, DeterministicMath.Log(0.0));
        Assert.Equal(double.NegativeInfinity, DeterministicMath.Log(-0.0));
        Assert.True(double.IsNaN(DeterministicMath.Log(-1.0)));
        Assert.True(double.IsNaN(DeterministicMath.Log(double.NegativeInfinity)));
        Assert.True(double.IsNaN(DeterministicMath.Log(double.NaN)));
        Assert.Equal(double.PositiveInfinity, DeterministicMath.Log(double.PositiveInfinity));
        Assert.InRange(ExactSeries.UlpsBetween(DeterministicMath.Log(double.Epsilon), ExactSeries.Log(double.Epsilon)), 0, 1);

        Assert.Equal(1.0, DeterministicMath.Cos(0.0));
        Assert.Equal(-1.0, DeterministicMath.Cos(Math.PI));
        Assert.True(double.IsNaN(DeterministicMath.Cos(double.PositiveInfinity)));
        Assert.True(double.IsNaN(DeterministicMath.Cos(double.NaN)));
        Assert.Throws<ArgumentOutOfRangeException>(() => DeterministicMath.Cos(2e6));
    }
}
