using AdderNet.Core.Kernels;
using Xunit;

namespace AdderNet.Core.Tests.Kernels;

public class NormKernelsTests
{
    /// <summary>Adder outputs lie near -K with a spread of about sqrt(K): the hard case for a mean in float32.</summary>
    [Theory]
    [InlineData(50, 6)]
    [InlineData(300, 16)]
    [InlineData(41, 70)]
    public void A_batch_norm_far_from_zero_keeps_to_the_oracle(int positions, int channels)
    {
        var x = ElementKernelsTests.Draw(positions * channels, 5);
        for (var i = 0; i < x.Length; i++)
            x[i] = -4000f + 40f * x[i];
        var dy = ElementKernelsTests.Draw(x.Length, 6);
        var gamma = ElementKernelsTests.Draw(channels, 7);
        var beta = ElementKernelsTests.Draw(channels, 8);
        var (mean, m2, inverse) = (new double[channels], new double[channels], new double[channels]);
        var (sumDy, sumDyXhat) = (new double[channels], new double[channels]);
        var (y, dx) = (new float[x.Length], new float[x.Length]);

        NormKernels.Moments(x, channels, mean, m2);
        for (var c = 0; c < channels; c++)
            inverse[c] = 1 / Math.Sqrt(m2[c] / positions + 1e-5);
        NormKernels.Normalize(x, mean, inverse, gamma, beta, relu: false, y);
        NormKernels.BackwardSums(x, dy, mean, inverse, sumDy, sumDyXhat);
        NormKernels.BackwardApply(x, dy, mean, inverse, gamma, sumDy, sumDyXhat, positions, dx);

        var (expectedY, expectedDx) = (new double[x.Length], new double[x.Length]);
        for (var c = 0; c < channels; c++)
        {
            double Value(float[] values, int p) => values[p * channels + c];
            var rows = Enumerable.Range(0, positions).ToArray();
            var average = rows.Average(p => Value(x, p));
            var squares = rows.Sum(p => (Value(x, p) - average) * (Value(x, p) - average));
            Assert.Equal(average, mean[c], 1e-9);
            Assert.Equal(squares, m2[c], 1e-6);
            double Hat(int p) => (Value(x, p) - average) / Math.Sqrt(squares / positions + 1e-5);
            var gradientSum = rows.Sum(p => Value(dy, p));
            var hatSum = rows.Sum(p => Value(dy, p) * Hat(p));
            Assert.Equal(gradientSum, sumDy[c], 1e-9);
            Assert.Equal(hatSum, sumDyXhat[c], 1e-9);
            foreach (var p in rows)
            {
                expectedY[p * channels + c] = Hat(p) * gamma[c] + beta[c];
                expectedDx[p * channels + c] = gamma[c] * inverse[c] * (Value(dy, p) - gradientSum / positions - Hat(p) * hatSum / positions);
            }
        }

        Assert.InRange(RelativeError.L2(y, expectedY), 0, 3e-7);
        Assert.InRange(RelativeError.L2(dx, expectedDx), 0, 3e-7);

        NormKernels.Normalize(x, mean, inverse, gamma, beta, relu: true, x);
        Assert.Equal(y.Select(v => v > 0 ? v : 0f), x);
    }

    /// <summary>Vector lanes are channels: splitting the channels between calls changes no bit.</summary>
    [Fact]
    public void Each_channel_is_summed_alike_in_vectors_and_in_the_scalar_rest()
    {
        const int positions = 30, channels = 19;
        var x = ElementKernelsTests.Draw(positions * channels, 9);
        var (mean, m2) = (new double[channels], new double[channels]);
        NormKernels.Moments(x, channels, mean, m2);
        for (var c = 0; c < channels; c++)
        {
            var (oneMean, oneM2) = (new double[1], new double[1]);
            NormKernels.Moments([.. Enumerable.Range(0, positions).Select(p => x[p * channels + c])], 1, oneMean, oneM2);
            Assert.Equal((oneMean[0], oneM2[0]), (mean[c], m2[c]));
        }
    }
}
