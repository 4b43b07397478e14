using AdderNet.Core.Kernels;
using AdderNet.Core.Layers.Normalization;
using AdderNet.Core.Numerics;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace AdderNet.Core.Tests.Layers;

/// <summary>The fused passes of batch norms against <see cref="PlainNorm"/>: equal bits at every vector width and number of threads.</summary>
public class NormLoopsTest
{
    private static readonly VectorWidth[] Widths = [.. Enum.GetValues<VectorWidth>().Where(width => width <= VectorKernels.Widest)];

    [Fact]
    public void Every_width_and_thread_count_has_the_bits_of_the_plain_loops()
    {
        var cases =
            from channels in Gen.OneOf(Gen.Choose(1, 40), Gen.Elements(64, 120, 256), Gen.Elements(1024, 2048))
            from positions in Gen.OneOf(Gen.Choose(2, 40), channels > 256 ? Gen.Choose(200, 600) : Gen.Choose(200, 3000))
            from adds in Gen.Elements(false, true)
            from rectifies in Gen.Elements(false, true)
            from shared in adds && rectifies ? Gen.Elements(false, true) : Gen.Constant(false)
            from threads in Gen.Choose(1, 3)
            from seed in Gen.Choose(0, 1000)
            select (channels, positions, adds, rectifies, shared, threads, seed);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(60), Prop.ForAll(cases.ToArbitrary(), c =>
        {
            var drawn = new DrawnMap(c.channels, c.positions, (uint)c.seed);
            var expected = new PlainNorm(drawn, c.adds, c.rectifies, c.shared);
            using var threads = new ComputeThreads(c.threads);
            foreach (var width in Widths)
                AssertEqualBits(expected, Run(width, drawn, c.adds, c.rectifies, threads, c.shared), $"{c} {width}");
        }));
    }

    [Theory]
    [InlineData(false, false, float.NaN)]
    [InlineData(false, true, float.NegativeInfinity)]
    [InlineData(true, false, float.PositiveInfinity)]
    [InlineData(true, true, float.NaN)]
    public void A_value_that_is_not_finite_is_seen_before_the_relu_wherever_it_lies(bool adds, bool rectifies, float value)
    {
        const int channels = 12, positions = 31;
        using var threads = new ComputeThreads(2);
        foreach (var width in Widths)
        {
            for (var place = 0; place < channels * positions; place += 5)
            {
                var drawn = new DrawnMap(channels, positions, 3);
                Assert.True(Run(width, drawn, adds, rectifies, threads).Finite);
                drawn.X[place] = value;
                var run = Run(width, drawn, adds, rectifies, threads);
                Assert.False(run.Finite);
                for (var c = 0; c < channels; c++)
                    Assert.Equal(c != place % channels, double.IsFinite(run.First[c]));
            }
        }
    }

    [Fact]
    public void An_overflow_by_the_added_map_is_seen()
    {
        using var threads = new ComputeThreads(1);
        foreach (var width in Widths)
        {
            var drawn = new DrawnMap(3, 17, 3);
            drawn.Other[50] = float.MaxValue;
            drawn.Shift[50 % 3] = float.MaxValue;
            Assert.False(Run(width, drawn, adds: true, rectifies: true, threads).Finite);
        }
    }

    private static unsafe NormResult Run(VectorWidth width, DrawnMap drawn, bool adds, bool rectifies, ComputeThreads threads, bool shared = false)
    {
        var passes = NormPasses.Create(width, adds, rectifies);
        var (groups, scratch) = (new ChannelGroups(drawn.Channels), new NormScratch());
        var (y, g, dx) = (new float[drawn.X.Length], (float[])drawn.G.Clone(), new float[drawn.X.Length]);
        var sums = Enumerable.Range(0, 4).Select(_ => new double[drawn.Channels]).ToArray();
        double[][] values = [.. new[] { drawn.Mean, drawn.Scale, drawn.Shift, drawn.Average, drawn.Slope }.Select(v => Repeat(v, groups.Lanes))];
        bool finite;
        fixed (float* x = drawn.X, other = drawn.Other, added = drawn.Added, output = y, gradient = g, inputGradient = dx)
        fixed (double* mean = values[0], scale = values[1], shift = values[2], average = values[3], slope = values[4])
        {
            var operands = new NormOperands
            {
                Lanes = groups.Lanes,
                Length = drawn.X.Length,
                X = x,
                Other = other,
                Y = output,
                G = gradient,
                Added = shared ? added : null,
                Dx = inputGradient,
                Mean = mean,
                Scale = scale,
                Shift = shift,
                Average = average,
                Slope = slope,
            };
            passes.Moments(operands, groups, sums[0], sums[1], scratch, threads);
            finite = passes.Normalize(operands, groups, threads);
            passes.GradientSums(operands, groups, sums[2], sums[3], scratch, threads);
            passes.InputGradient(operands, groups, threads);
        }

        return new NormResult(y, g, dx, sums[0], sums[1], sums[2], sums[3], finite);
    }

    private static double[] Repeat(double[] values, int lanes) => [.. Enumerable.Range(0, lanes).Select(lane => values[lane % values.Length])];

    private static void AssertEqualBits(PlainNorm expected, NormResult actual, string what)
    {
        Assert.True(actual.Finite, what);
        Assert.True(Bits(expected.Y).SequenceEqual(Bits(actual.Y)), $"y: {what}");
        Assert.True(Bits(expected.G).SequenceEqual(Bits(actual.G)), $"g: {what}");
        Assert.True(Bits(expected.Dx).SequenceEqual(Bits(actual.Dx)), $"dx: {what}");
        foreach (var (e, a) in new[] { (expected.First, actual.First), (expected.Second, actual.Second), (expected.GradientFirst, actual.GradientFirst), (expected.GradientSecond, actual.GradientSecond) })
            Assert.True(e.Select(BitConverter.DoubleToInt64Bits).SequenceEqual(a.Select(BitConverter.DoubleToInt64Bits)), $"sums: {what}");
    }

    private static IEnumerable<int> Bits(float[] values) => values.Select(BitConverter.SingleToInt32Bits);

    private sealed record NormResult(
        float[] Y, float[] G, float[] Dx, double[] First, double[] Second, double[] GradientFirst, double[] GradientSecond, bool Finite);
}

/// <summary>Operands of a batch norm over [positions, channels].</summary>
internal sealed class DrawnMap
{
    public DrawnMap(int channels, int positions, uint seed)
    {
        Channels = channels;
        var draws = new Philox(seed, DrawPurpose.Probe);
        (X, Other, G) = (Floats(positions * channels, -300, 20), Floats(positions * channels, 0, 1), Floats(positions * channels, 0, 0.01));
        Added = Floats(positions * channels, 0, 0.01);
        (Mean, Scale, Shift) = (Doubles(-300, 5), Doubles(0, 0.1), Doubles(0, 1));
        (Average, Slope) = (Doubles(0, 0.001), Doubles(0, 0.0001));

        float[] Floats(int length, double mean, double deviation) =>
            [.. Enumerable.Range(0, length).Select(_ => (float)(mean + deviation * draws.NextNormal()))];
        double[] Doubles(double mean, double deviation) =>
            [.. Enumerable.Range(0, channels).Select(_ => mean + deviation * draws.NextNormal())];
    }

    public int Channels { get; }

    public float[] X { get; }

    public float[] Other { get; }

    public float[] G { get; }

    public float[] Added { get; }

    public double[] Mean { get; }

    public double[] Scale { get; }

    public double[] Shift { get; }

    public double[] Average { get; }

    public double[] Slope { get; }
}
