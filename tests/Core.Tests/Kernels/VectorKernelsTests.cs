using System.Runtime.InteropServices;
using System.Security.Cryptography;
using AdderNet.Core.Kernels;
using AdderNet.Core.Numerics;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace AdderNet.Core.Tests.Kernels;

public class VectorKernelsTests
{
    private static readonly IConvolutionKernels Reference = new ReferenceKernels();

    private static readonly VectorWidth[] Widths = [.. Enum.GetValues<VectorWidth>().Where(width => width <= VectorKernels.Widest)];

    [Fact]
    public void Every_pass_on_random_shapes_equals_the_reference_in_bits_at_every_width_and_thread_count()
    {
        var shapes =
            from n in Gen.Frequency((2, Gen.Choose(1, 3)), (1, Gen.Choose(4, 37)))
            from h in Gen.Choose(1, 9)
            from w in Gen.Choose(1, 9)
            from c in Gen.Frequency((3, Gen.Choose(1, 20)), (1, Gen.Choose(21, 70)))
            from t in Gen.Frequency((3, Gen.Choose(1, 20)), (1, Gen.Choose(21, 70)))
            from kh in Gen.Choose(1, 5)
            from kw in Gen.Choose(1, 5)
            from stride in Gen.Choose(1, 3)
            from padding in Gen.Choose(0, 3)
            where kh <= h + 2 * padding && kw <= w + 2 * padding
            select new ConvolutionShape(n, h, w, c, t, kh, kw, stride, padding);
        var cases = from shape in shapes from threads in Gen.Choose(1, 4) select (shape, threads);

        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(60),
            Prop.ForAll(cases.ToArbitrary(), drawn => AssertEqualBits(drawn.shape, drawn.threads)));
    }

    /// <summary>Inputs of neighbouring positions lie a power of two apart, where passes copy what would collide in a cache.</summary>
    [Fact]
    public void Every_pass_on_random_pointwise_layers_with_many_channels_equals_the_reference_in_bits()
    {
        var cases =
            from n in Gen.Choose(1, 4)
            from h in Gen.Choose(1, 6)
            from w in Gen.Choose(2, 6)
            from c in Gen.Elements(512, 1000, 1024)
            from t in Gen.Choose(1, 40)
            from stride in Gen.Choose(1, 2)
            from threads in Gen.Choose(1, 3)
            select (new ConvolutionShape(n, h, w, c, t, 1, 1, stride, 0), threads);

        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(15),
            Prop.ForAll(cases.ToArbitrary(), drawn => AssertEqualBits(drawn.Item1, drawn.threads)));
    }

    [Theory]
    [InlineData(17, 28, 28, 1, 6, 5, 1, 2)]
    [InlineData(18, 14, 14, 6, 16, 5, 1, 0)]
    [InlineData(67, 5, 4, 8, 3, 3, 2, 1)]
    [InlineData(7, 5, 5, 16, 120, 5, 1, 0)]
    [InlineData(33, 6, 6, 16, 16, 3, 1, 1)]
    [InlineData(3, 17, 9, 32, 21, 3, 2, 1)]
    [InlineData(2, 12, 10, 64, 14, 3, 1, 1)]
    [InlineData(13, 1, 1, 120, 84, 1, 1, 0)]
    [InlineData(5, 1, 1, 84, 10, 1, 1, 0)]
    [InlineData(1, 9, 9, 3, 64, 7, 2, 3)]
    [InlineData(1, 7, 7, 128, 70, 3, 1, 1)]
    [InlineData(2, 8, 8, 96, 130, 1, 2, 0)]
    [InlineData(1, 14, 20, 64, 64, 3, 2, 1)]
    [InlineData(5, 15, 14, 64, 67, 1, 1, 0)]
    [InlineData(3, 15, 14, 80, 140, 1, 1, 0)]
    [InlineData(7, 12, 10, 512, 37, 1, 1, 0)]
    [InlineData(7, 12, 10, 1024, 37, 1, 1, 0)]
    [InlineData(7, 6, 6, 1024, 20, 3, 1, 1)]
    [InlineData(9, 10, 10, 16, 35, 1, 2, 0)]
    [InlineData(21, 12, 12, 20, 37, 1, 3, 0)]
    [InlineData(3, 1, 1, 20, 40, 1, 3, 1)]
    [InlineData(2, 18, 18, 3, 200, 3, 1, 1)]
    [InlineData(2, 18, 18, 4, 300, 3, 1, 1)]
    [InlineData(9, 17, 17, 5, 250, 3, 2, 1)]
    [InlineData(9, 1, 9, 8, 33, 3, 1, 1)]
    [InlineData(9, 7, 7, 48, 35, 3, 1, 1)]
    public void Layers_of_real_models_equal_the_reference_in_bits(int n, int h, int w, int c, int t, int kernel, int stride, int padding)
    {
        AssertEqualBits(new ConvolutionShape(n, h, w, c, t, kernel, kernel, stride, padding), 2);
    }

    /// <summary>Results of whole cache lines are stored past the caches, unless they are read again, a last vector is not full, or they begin within a line.</summary>
    [Theory]
    [InlineData(9, 32, 16, 32, 1, 2, 0)]
    [InlineData(10, 16, 32, 64, 1, 2, 0)]
    [InlineData(5, 32, 16, 32, 3, 2, 1)]
    [InlineData(5, 32, 16, 24, 3, 1, 1)]
    [InlineData(3, 10, 512, 48, 1, 1, 0)]
    [InlineData(9, 32, 16, 32, 1, 2, 0, 1)]
    public void Maps_larger_than_caches_equal_the_reference_in_bits(int n, int side, int c, int t, int kernel, int stride, int padding, int offset = 0)
    {
        var shape = new ConvolutionShape(n, side, side, c, t, kernel, kernel, stride, padding);
        Assert.True(CachedMaps.Outgrown(shape));
        AssertEqualBits(shape, 2, offset);
    }

    /// <summary>Threads take blocks of positions that straddle rows and samples, of filters whose sums are few; the last block is not full.</summary>
    [Theory]
    [InlineData(2, 9, 21, 3, 5, 3, 1, 1)]
    [InlineData(3, 9, 21, 3, 5, 3, 1, 1)]
    [InlineData(5, 9, 21, 3, 5, 3, 1, 1)]
    [InlineData(2, 33, 9, 16, 16, 3, 1, 1)]
    [InlineData(3, 25, 21, 4, 7, 3, 2, 1)]
    [InlineData(5, 43, 10, 16, 6, 1, 1, 0)]
    [InlineData(3, 34, 17, 16, 9, 1, 2, 0)]
    [InlineData(2, 7, 17, 20, 70, 3, 1, 1)]
    [InlineData(2, 2, 31, 3, 11, 7, 1, 3)]
    public void Filter_gradients_of_many_blocks_equal_the_reference_in_bits(int threadCount, int n, int side, int c, int t, int kernel, int stride, int padding)
    {
        using var threads = new ComputeThreads(threadCount);
        var shape = new ConvolutionShape(n, side, side, c, t, kernel, kernel, stride, padding);
        Assert.True(shape.Positions > 4 * threadCount * SummationOrder.PositionBlock);
        var drawn = new ConvolutionCase(shape);
        foreach (var pass in new[] { 1, 2, 5 })
        {
            var expected = drawn.Run(pass, Reference, threads);

            // Again, as threads come to their runs in another order.
            foreach (var width in Widths.Concat(Widths))
                AssertBits(expected, drawn.Run(pass, VectorKernels.Create(width), threads), $"{ConvolutionCase.PassNames[pass]}, {width}");
        }
    }

    [Fact]
    public void Non_finite_operands_crash_nothing()
    {
        using var threads = new ComputeThreads(2);
        var drawn = new ConvolutionCase(new ConvolutionShape(2, 6, 6, 5, 18, 3, 3, 1, 1));
        float[] bad = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.MaxValue, float.Epsilon];
        for (var i = 0; i < drawn.X.Length; i += 3)
            drawn.X[i] = bad[i % bad.Length];
        for (var i = 0; i < drawn.G.Length; i += 5)
            drawn.G[i] = bad[i % bad.Length];
        foreach (var width in Widths)
            Assert.Equal(ConvolutionCase.PassNames.Length, drawn.RunAll(VectorKernels.Create(width), threads).Length);
    }

    [Fact]
    public void Infinite_inputs_give_equal_bits_at_every_width()
    {
        using var threads = new ComputeThreads(1);
        var drawn = new ConvolutionCase(new ConvolutionShape(1, 5, 5, 4, 9, 3, 3, 1, 1));
        drawn.X[7] = float.PositiveInfinity;
        drawn.X[60] = 1e30f;
        foreach (var width in Widths)
        {
            foreach (var pass in new[] { 2, 3 })
                AssertBits(drawn.Run(pass, Reference, threads), drawn.Run(pass, VectorKernels.Create(width), threads), $"{ConvolutionCase.PassNames[pass]}, {width}");
        }
    }

    [Fact]
    public void Operands_of_a_wrong_length_are_refused()
    {
        using var threads = new ComputeThreads(1);
        var shape = new ConvolutionShape(1, 4, 4, 2, 3, 3, 3, 1, 1);
        Assert.Throws<ArgumentException>(() => ConvolutionKernels.Best.AdderForward(shape, new float[5], new float[shape.FilterLength], new float[shape.OutputLength], threads));
        Assert.Throws<ArgumentException>(() => ConvolutionKernels.Best.AdderForward(shape, new float[shape.InputLength], new float[5], new float[shape.OutputLength], threads));
        Assert.Throws<ArgumentException>(() => ConvolutionKernels.Best.AdderForward(shape, new float[shape.InputLength], new float[shape.FilterLength], new float[5], threads));
    }

    [Fact]
    public void Calls_allocate_nothing_once_their_shapes_are_known()
    {
        using var threads = new ComputeThreads(2);
        var drawn = new ConvolutionCase(new ConvolutionShape(2, 8, 8, 6, 16, 5, 5, 1, 0));
        var (y, gradient, dx) = (new float[drawn.Shape.OutputLength], new float[drawn.Shape.FilterLength], new float[drawn.Shape.InputLength]);
        void Step()
        {
            ConvolutionKernels.Best.AdderForward(drawn.Shape, drawn.X, drawn.Filters, y, threads);
            ConvolutionKernels.Best.AdderFilterGradient(drawn.Shape, drawn.X, drawn.Filters, drawn.G, gradient, threads);
            ConvolutionKernels.Best.AdderInputGradient(drawn.Shape, drawn.X, drawn.Filters, drawn.G, dx, threads);
        }

        for (var i = 0; i < 5; i++)
            Step();
        Assert.Equal(0, AllocatedBytes.LeastOf(Step));
    }

    /// <summary>Bits fixed with numerics version 3: whoever has to change this hash raises the version.</summary>
    [Fact]
    public void Numerics_version_3_keeps_its_bits()
    {
        using var threads = new ComputeThreads(1);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var shape in new[] { new ConvolutionShape(2, 14, 14, 6, 16, 5, 5, 1, 0), new ConvolutionShape(2, 15, 14, 70, 21, 3, 3, 2, 1) })
        {
            foreach (var result in new ConvolutionCase(shape).RunAll(ConvolutionKernels.Best, threads))
                hash.AppendData(MemoryMarshal.AsBytes<float>(result));
        }

        Assert.Equal(3, NumericsVersion.Current);
        Assert.Equal("532620AEEA68624E", Convert.ToHexString(hash.GetHashAndReset())[..16]);
    }

    private static void AssertEqualBits(ConvolutionShape shape, int threadCount, int resultOffset = 0)
    {
        using var threads = new ComputeThreads(threadCount);
        var drawn = new ConvolutionCase(shape, (uint)shape.GetHashCode() % 1000) { ResultOffset = resultOffset };
        var expected = drawn.RunAll(Reference, threads);
        foreach (var width in Widths)
        {
            var actual = drawn.RunAll(VectorKernels.Create(width), threads);
            for (var pass = 0; pass < expected.Length; pass++)
                AssertBits(expected[pass], actual[pass], $"{ConvolutionCase.PassNames[pass]}, {width}, {threadCount} threads, {shape}");
        }
    }

    private static void AssertBits(float[] expected, float[] actual, string what)
    {
        for (var i = 0; i < expected.Length; i++)
        {
            if (BitConverter.SingleToInt32Bits(expected[i]) != BitConverter.SingleToInt32Bits(actual[i]))
                Assert.Fail($"{what}: element {i} is {actual[i]:R}, not {expected[i]:R}");
        }
    }
}
