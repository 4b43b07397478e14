using AdderNet.Core.Kernels;
using Xunit;

namespace AdderNet.Core.Tests.Kernels;

public class PoolKernelsTests
{
    [Theory]
    [InlineData(2, 8, 6, 3, 2, 2, 0)]
    [InlineData(1, 7, 9, 5, 3, 2, 1)]
    public void A_max_pool_gives_each_windows_largest_element_and_its_gradient_to_the_first_winner(
        int n, int h, int w, int c, int kernel, int stride, int padding)
    {
        var shape = new PoolShape(n, h, w, c, kernel, stride, padding);
        var x = ElementKernelsTests.Draw(shape.InputLength, 10);
        for (var i = 0; i < x.Length; i++)
            x[i] = (float)Math.Round(x[i] * 2 - 4);
        var dy = ElementKernelsTests.Draw(shape.OutputLength, 11);
        var (y, dx, winners) = (new float[shape.OutputLength], new float[x.Length], new byte[shape.OutputLength]);
        PoolKernels.MaxForward(shape, x, y, winners);
        PoolKernels.MaxBackward(shape, winners, dy, dx);

        var expected = new float[x.Length];
        for (var at = 0; at < y.Length; at++)
        {
            var (channel, column, row, image) = (at % c, at / c % shape.OutWidth, at / c / shape.OutWidth % shape.OutHeight, at / c / shape.OutWidth / shape.OutHeight);
            var best = -1;
            for (var i = Math.Max(0, row * stride - padding); i < Math.Min(h, row * stride - padding + kernel); i++)
            {
                for (var j = Math.Max(0, column * stride - padding); j < Math.Min(w, column * stride - padding + kernel); j++)
                {
                    var candidate = ((image * h + i) * w + j) * c + channel;
                    if (best < 0 || x[candidate] > x[best])
                        best = candidate;
                }
            }

            Assert.Equal(x[best], y[at]);
            expected[best] += dy[at];
        }

        Assert.Equal(expected, dx);
    }

    [Fact]
    public void A_global_average_and_its_gradient_divide_by_the_positions()
    {
        float[] x = [1, 10, 2, 20, 6, 30, 4, 0, 8, 1, 0, 2];
        var y = new float[4];
        PoolKernels.GlobalAverageForward(2, 3, 2, x, y);
        Assert.Equal([3f, 20f, 4f, 1f], y);

        var dx = new float[12];
        PoolKernels.GlobalAverageBackward(2, 3, 2, [3f, 6f, 9f, 12f], dx);
        Assert.Equal([1f, 2f, 1f, 2f, 1f, 2f, 3f, 4f, 3f, 4f, 3f, 4f], dx);
    }
}
