using AdderNet.Core.Kernels;
using AdderNet.Core.Layers.Quantization;
using AdderNet.Core.Tests.Kernels;
using Xunit;

namespace AdderNet.Core.Tests.Layers.Quantization;

public sealed class PackedConvolutionTest
{
    public static TheoryData<int[]> Shapes => new()
    {
        new[] { 2, 8, 8, 16, 16, 3, 3, 1, 1 },
        new[] { 1, 5, 5, 64, 10, 3, 3, 1, 1 },
        new[] { 1, 6, 5, 70, 9, 3, 3, 2, 1 },
        new[] { 2, 4, 4, 130, 5, 1, 1, 2, 0 },
        new[] { 3, 5, 5, 16, 20, 5, 5, 1, 0 },
        new[] { 4, 1, 1, 400, 33, 1, 1, 1, 0 },
        new[] { 1, 3, 3, 1, 2, 5, 5, 1, 2 },
        new[] { 2, 9, 7, 3, 4, 2, 4, 3, 2 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Counting_bits_gives_the_bits_of_a_float_convolution_of_the_same_operands(int[] g)
    {
        var shape = new ConvolutionShape(g[0], g[1], g[2], g[3], g[4], g[5], g[6], g[7], g[8]);
        var (x, filters) = (Drawn.Normals(shape.InputLength, 11), Drawn.Normals(shape.FilterLength, 12));
        (x[0], filters[0]) = (-0f, -0f);
        var (signs, levels, weights) = (new float[x.Length], new float[x.Length], new float[filters.Length]);
        Binarization.Signs(x, signs);
        Binarization.Levels(x, levels);
        Binarization.Signs(filters, weights);
        var scratch = new BinaryScratch();
        foreach (var (kind, operand) in new[] { (OneBitInput.Sign, signs), (OneBitInput.Level, levels) })
        {
            foreach (var count in new[] { 1, 3 })
            {
                using var threads = new ComputeThreads(count);
                var (expected, packed) = (new float[shape.OutputLength], new float[shape.OutputLength]);
                ConvolutionKernels.Best.Forward(shape, operand, weights, [], expected, threads);
                PackedConvolution.Forward(shape, kind, x, filters, packed, scratch, threads);
                Assert.Equal(expected.Select(BitConverter.SingleToUInt32Bits), packed.Select(BitConverter.SingleToUInt32Bits));
                Assert.Contains(packed, value => value != 0);
            }
        }
    }

    [Fact]
    public void Steps_decide_at_zero_and_at_a_half()
    {
        float[] values = [0, -0f, -1e-45f, 0.5f, 0.50000006f, 2, -3];
        // Twice over, so that whole vectors and the rest both see every value.
        values = [.. Enumerable.Repeat(values, 7).SelectMany(v => v)];
        var (signs, levels) = (new float[values.Length], new float[values.Length]);
        Binarization.Signs(values, signs);
        Binarization.Levels(values, levels);
        Assert.Equal([1, 1, -1, 1, 1, 1, -1], signs[..7]);
        Assert.Equal([0, 0, 0, 0, 1, 1, 0], levels[..7]);
        Assert.Equal(signs[..7], signs[^7..]);
        Assert.Equal(levels[..7], levels[^7..]);
    }
}
