using System.Numerics;

namespace AdderNet.Core.Kernels;

/// <summary>
/// The per-channel passes of batch norm over rows of channels (NHWC maps or [N, C] matrices). Statistics are sums in double
/// over positions in order, one lane a channel, unfused; the elementwise passes are float32, unfused. xhat = (x - mean) * inverse.
/// </summary>
internal static class NormKernels
{
    /// <summary>mean[c] = sum of x over positions / positions; m2[c] = sum of (x - mean[c])^2.</summary>
    public static void Moments(ReadOnlySpan<float> x, int channels, Span<double> mean, Span<double> m2)
    {
        var positions = Lengths.Rows(x.Length, channels);
        Lengths.MustBe(channels, mean.Length, nameof(mean));
        Lengths.MustBe(channels, m2.Length, nameof(m2));
        mean.Clear();
        m2.Clear();
        for (var p = 0; p < positions; p++)
            AddRow(x.Slice(p * channels, channels), mean);
        for (var c = 0; c < channels; c++)
            mean[c] /= positions;
        for (var p = 0; p < positions; p++)
            AddSquaredDistances(x.Slice(p * channels, channels), mean, m2);
    }

    /// <summary>y = xhat * gamma + beta.</summary>
    /// <param name="x">Rows of channels.</param>
    /// <param name="mean">Mean of each channel.</param>
    /// <param name="inverse">1 / sqrt(variance + eps) of each channel.</param>
    /// <param name="gamma">Scale of each channel.</param>
    /// <param name="beta">Shift of each channel.</param>
    /// <param name="relu">Whether negative results become +0.</param>
    /// <param name="y">Result; may be <paramref name="x"/>.</param>
    public static void Normalize(
        ReadOnlySpan<float> x, ReadOnlySpan<double> mean, ReadOnlySpan<double> inverse, ReadOnlySpan<float> gamma, ReadOnlySpan<float> beta, bool relu, Span<float> y)
    {
        var channels = mean.Length;
        var positions = Lengths.Rows(x.Length, channels);
        Lengths.MustBe(x.Length, y.Length, nameof(y));
        using var table = new ChannelTable(channels, 3);
        var high = table[0];
        var low = table[1];
        var slope = table[2];
        SplitMeans(mean, high, low);
        for (var c = 0; c < channels; c++)
            slope[c] = (float)(inverse[c] * gamma[c]);

        for (var p = 0; p < positions; p++)
        {
            var input = x.Slice(p * channels, channels);
            var output = y.Slice(p * channels, channels);
            var c = 0;
            if (Vector.IsHardwareAccelerated)
            {
                for (; c <= channels - Vector<float>.Count; c += Vector<float>.Count)
                {
                    var centred = new Vector<float>(input[c..]) - new Vector<float>(high[c..]) - new Vector<float>(low[c..]);
                    var value = centred * new Vector<float>(slope[c..]) + new Vector<float>(beta[c..]);
                    if (relu)
                        value = Vector.ConditionalSelect(Vector.GreaterThan(value, Vector<float>.Zero), value, Vector<float>.Zero);
                    value.CopyTo(output[c..]);
                }
            }

            for (; c < channels; c++)
            {
                var value = (input[c] - high[c] - low[c]) * slope[c] + beta[c];
                output[c] = relu && !(value > 0f) ? 0f : value;
            }
        }
    }

    /// <summary>sumDy[c] = sum of dy (beta's gradient); sumDyXhat[c] = sum of dy * xhat (gamma's gradient), over positions.</summary>
    public static void BackwardSums(
        ReadOnlySpan<float> x, ReadOnlySpan<float> dy, ReadOnlySpan<double> mean, ReadOnlySpan<double> inverse, Span<double> sumDy, Span<double> sumDyXhat)
    {
        var channels = mean.Length;
        var positions = Lengths.Rows(x.Length, channels);
        Lengths.MustBe(x.Length, dy.Length, nameof(dy));
        sumDy.Clear();
        sumDyXhat.Clear();
        for (var p = 0; p < positions; p++)
        {
            var gradient = dy.Slice(p * channels, channels);
            AddRow(gradient, sumDy);
            AddProducts(x.Slice(p * channels, channels), gradient, mean, sumDyXhat);
        }

        for (var c = 0; c < channels; c++)
            sumDyXhat[c] *= inverse[c];
    }

    /// <summary>dx = gamma * inverse * (dy - sumDy / count - xhat * sumDyXhat / count).</summary>
    /// <param name="x">Input of the forward pass.</param>
    /// <param name="dy">Gradient of the output.</param>
    /// <param name="mean">Mean of each channel.</param>
    /// <param name="inverse">1 / sqrt(variance + eps) of each channel.</param>
    /// <param name="gamma">Scale of each channel.</param>
    /// <param name="sumDy">From <see cref="BackwardSums"/>, over everything that shares the statistics.</param>
    /// <param name="sumDyXhat">From <see cref="BackwardSums"/>, over everything that shares the statistics.</param>
    /// <param name="count">Positions that share the statistics.</param>
    /// <param name="dx">Result; may be <paramref name="dy"/>.</param>
    public static void BackwardApply(
        ReadOnlySpan<float> x, ReadOnlySpan<float> dy, ReadOnlySpan<double> mean, ReadOnlySpan<double> inverse, ReadOnlySpan<float> gamma,
        ReadOnlySpan<double> sumDy, ReadOnlySpan<double> sumDyXhat, double count, Span<float> dx)
    {
        var channels = mean.Length;
        var positions = Lengths.Rows(x.Length, channels);
        Lengths.MustAgree(x.Length, dy.Length, dx.Length);
        using var table = new ChannelTable(channels, 5);
        var high = table[0];
        var low = table[1];
        var slope = table[2];
        var constant = table[3];
        var tilt = table[4];
        SplitMeans(mean, high, low);
        for (var c = 0; c < channels; c++)
        {
            var scale = gamma[c] * inverse[c];
            slope[c] = (float)scale;
            constant[c] = (float)(scale * sumDy[c] / count);
            tilt[c] = (float)(scale * inverse[c] * sumDyXhat[c] / count);
        }

        for (var p = 0; p < positions; p++)
        {
            var input = x.Slice(p * channels, channels);
            var gradient = dy.Slice(p * channels, channels);
            var output = dx.Slice(p * channels, channels);
            var c = 0;
            if (Vector.IsHardwareAccelerated)
            {
                for (; c <= channels - Vector<float>.Count; c += Vector<float>.Count)
                {
                    var centred = new Vector<float>(input[c..]) - new Vector<float>(high[c..]) - new Vector<float>(low[c..]);
                    var value = new Vector<float>(gradient[c..]) * new Vector<float>(slope[c..]) - new Vector<float>(constant[c..]);
                    (value - centred * new Vector<float>(tilt[c..])).CopyTo(output[c..]);
                }
            }

            for (; c < channels; c++)
                output[c] = gradient[c] * slope[c] - constant[c] - (input[c] - high[c] - low[c]) * tilt[c];
        }
    }

    /// <summary>
    /// mean = high + low in float32 pairs: adder outputs lie far from 0 (about -K) compared with their spread, and one
    /// float32 mean would lose two digits of the difference.
    /// </summary>
    private static void SplitMeans(ReadOnlySpan<double> mean, Span<float> high, Span<float> low)
    {
        for (var c = 0; c < mean.Length; c++)
        {
            high[c] = (float)mean[c];
            low[c] = (float)(mean[c] - high[c]);
        }
    }

    private static void AddRow(ReadOnlySpan<float> row, Span<double> sums)
    {
        var c = 0;
        if (Vector.IsHardwareAccelerated)
        {
            for (; c <= row.Length - Vector<float>.Count; c += Vector<float>.Count)
            {
                Vector.Widen(new Vector<float>(row[c..]), out var left, out var right);
                var first = sums[c..];
                var second = sums[(c + Vector<double>.Count)..];
                (new Vector<double>(first) + left).CopyTo(first);
                (new Vector<double>(second) + right).CopyTo(second);
            }
        }

        for (; c < row.Length; c++)
            sums[c] += row[c];
    }

    private static void AddSquaredDistances(ReadOnlySpan<float> row, ReadOnlySpan<double> mean, Span<double> sums)
    {
        var c = 0;
        if (Vector.IsHardwareAccelerated)
        {
            for (; c <= row.Length - Vector<float>.Count; c += Vector<float>.Count)
            {
                Vector.Widen(new Vector<float>(row[c..]), out var left, out var right);
                var first = sums[c..];
                var second = sums[(c + Vector<double>.Count)..];
                left -= new Vector<double>(mean[c..]);
                right -= new Vector<double>(mean[(c + Vector<double>.Count)..]);
                (new Vector<double>(first) + left * left).CopyTo(first);
                (new Vector<double>(second) + right * right).CopyTo(second);
            }
        }

        for (; c < row.Length; c++)
        {
            var distance = row[c] - mean[c];
            sums[c] += distance * distance;
        }
    }

    private static void AddProducts(ReadOnlySpan<float> row, ReadOnlySpan<float> gradient, ReadOnlySpan<double> mean, Span<double> sums)
    {
        var c = 0;
        if (Vector.IsHardwareAccelerated)
        {
            for (; c <= row.Length - Vector<float>.Count; c += Vector<float>.Count)
            {
                Vector.Widen(new Vector<float>(row[c..]), out var left, out var right);
                Vector.Widen(new Vector<float>(gradient[c..]), out var leftGradient, out var rightGradient);
                var first = sums[c..];
                var second = sums[(c + Vector<double>.Count)..];
                left -= new Vector<double>(mean[c..]);
                right -= new Vector<double>(mean[(c + Vector<double>.Count)..]);
                (new Vector<double>(first) + left * leftGradient).CopyTo(first);
                (new Vector<double>(second) + right * rightGradient).CopyTo(second);
            }
        }

        for (; c < row.Length; c++)
            sums[c] += (row[c] - mean[c]) * gradient[c];
    }
}
