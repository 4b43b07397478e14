using AdderNet.Core.Data.Images;
using AdderNet.Core.Kernels;
using AdderNet.Core.Numerics;
using Xunit;

namespace AdderNet.Core.Tests.Data.Images;

public sealed class ResamplerTests
{
    public static TheoryData<int> Widths => [.. Enum.GetValues<VectorWidth>().Where(width => width <= VectorKernels.Widest).Select(width => (int)width)];

    [Theory]
    [MemberData(nameof(Widths))]
    public unsafe void Every_vector_width_gives_the_bits_of_plain_loops(int width)
    {
        const int Spare = 64;
        var draws = new Philox(3, DrawPurpose.Probe);
        var (reference, resampler) = (new ReferenceResampler(), VectorResampler.Create((VectorWidth)width));
        var weights = new AxisWeights();
        for (var trial = 0; trial < 200; trial++)
        {
            var (wide, high, outputs) = (1 + draws.NextBelow(90), 1 + draws.NextBelow(12), 1 + draws.NextBelow(70));
            var mirror = draws.NextBelow(2) == 1;
            var picture = new byte[(wide * high * PixelView.PixelBytes) + Spare];
            // Extremes too: sums then reach their bounds.
            for (var i = 0; i < picture.Length; i++)
                picture[i] = trial % 4 == 0 ? byte.MaxValue : (byte)draws.NextBelow(256);
            weights.Compute(new Stretch(0, wide), outputs, 0, outputs);
            var rowBytes = outputs * PixelView.PixelBytes;
            byte[] expectedRows = new byte[(high * rowBytes) + Spare], rows = new byte[(high * rowBytes) + Spare];
            byte[] expectedRow = new byte[rowBytes + Spare], row = new byte[rowBytes + Spare];
            fixed (byte* from = picture, a = expectedRows, b = rows, c = expectedRow, d = row)
            {
                reference.Horizontal(new PixelView(from, wide, high), 0, high, weights, mirror, a);
                resampler.Horizontal(new PixelView(from, wide, high), 0, high, weights, mirror, b);
                Assert.Equal(expectedRows[..(high * rowBytes)], rows[..(high * rowBytes)]);
                weights.Compute(new Stretch(0, high), 1, 0, 1);
                reference.Vertical(a, rowBytes, weights.Weights.AsSpan(0, high), c);
                resampler.Vertical(a, rowBytes, weights.Weights.AsSpan(0, high), d);
                Assert.Equal(expectedRow[..rowBytes], row[..rowBytes]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public unsafe void Weights_whose_roundings_add_up_leave_white_white(int width)
    {
        const int RowBytes = 160, Spare = 64;
        byte[] white = [.. Enumerable.Repeat(byte.MaxValue, RowBytes + Spare)], row = new byte[RowBytes + Spare];
        fixed (byte* from = white, to = row)
            VectorResampler.Create((VectorWidth)width).Vertical(from, RowBytes, [(1 << AxisWeights.Precision) + 9000], to);
        Assert.Equal(white[..RowBytes], row[..RowBytes]);
    }

    [Theory]
    [InlineData(500, 224)]
    [InlineData(65000, 224)]
    [InlineData(30, 224)]
    [InlineData(224, 224)]
    [InlineData(1, 7)]
    public void Weights_are_not_negative_stay_inside_and_add_to_one(int length, int outputs)
    {
        var weights = new AxisWeights();
        weights.Compute(new Stretch(5, length), outputs, 0, outputs);
        for (var i = 0; i < outputs; i++)
        {
            var own = weights.Weights.AsSpan(i * weights.Stride, weights.Taps[i]).ToArray();
            Assert.All(own, weight => Assert.InRange(weight, 0, 1 << AxisWeights.Precision));
            Assert.InRange(own.Sum(), (1 << AxisWeights.Precision) - own.Length, (1 << AxisWeights.Precision) + own.Length);
            Assert.InRange(weights.Start[i], 5, 5 + length - weights.Taps[i]);
        }
    }

    [Fact]
    public void A_window_of_the_outputs_has_the_weights_that_it_has_in_the_whole()
    {
        AxisWeights whole = new(), window = new();
        whole.Compute(new Stretch(0, 500), 341, 0, 341);
        window.Compute(new Stretch(0, 500), 341, 58, 224);
        for (var i = 0; i < 224; i++)
        {
            Assert.Equal((whole.Start[58 + i], whole.Taps[58 + i]), (window.Start[i], window.Taps[i]));
            Assert.Equal(whole.Weights.AsSpan((58 + i) * whole.Stride, whole.Taps[58 + i]).ToArray(), window.Weights.AsSpan(i * window.Stride, window.Taps[i]).ToArray());
        }
    }
}
