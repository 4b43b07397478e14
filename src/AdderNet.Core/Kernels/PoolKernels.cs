namespace AdderNet.Core.Kernels;

/// <summary>Geometry of a max pool over [N, H, W, C], channels last. Padded elements never win.</summary>
internal readonly record struct PoolShape(int N, int H, int W, int C, int Kernel, int Stride, int Padding)
{
    public int OutHeight => (H + 2 * Padding - Kernel) / Stride + 1;

    public int OutWidth => (W + 2 * Padding - Kernel) / Stride + 1;

    public int InputLength => N * H * W * C;

    public int OutputLength => N * OutHeight * OutWidth * C;
}

/// <summary>Pooling over NHWC maps.</summary>
internal static class PoolKernels
{
    /// <summary>
    /// y = the largest element of each window; ties go to the first in (row, column) order. <paramref name="winners"/>
    /// receives the winner's place within its window, row * Kernel + column.
    /// </summary>
    public static void MaxForward(in PoolShape shape, ReadOnlySpan<float> x, Span<float> y, Span<byte> winners)
    {
        Lengths.MustBe(shape.InputLength, x.Length, nameof(x));
        Lengths.MustBe(shape.OutputLength, y.Length, nameof(y));
        Lengths.MustBe(shape.OutputLength, winners.Length, nameof(winners));
        var output = 0;
        for (var n = 0; n < shape.N; n++)
        {
            for (var row = 0; row < shape.OutHeight; row++)
            {
                for (var column = 0; column < shape.OutWidth; column++, output += shape.C)
                    MaxOfWindow(shape, x, n, row, column, y.Slice(output, shape.C), winners.Slice(output, shape.C));
            }
        }
    }

    /// <summary>dx = sum of dy over the windows that the element won, in (row, column) order of the windows.</summary>
    public static void MaxBackward(in PoolShape shape, ReadOnlySpan<byte> winners, ReadOnlySpan<float> dy, Span<float> dx)
    {
        Lengths.MustBe(shape.InputLength, dx.Length, nameof(dx));
        Lengths.MustBe(shape.OutputLength, dy.Length, nameof(dy));
        Lengths.MustBe(shape.OutputLength, winners.Length, nameof(winners));
        dx.Clear();
        var output = 0;
        for (var n = 0; n < shape.N; n++)
        {
            for (var row = 0; row < shape.OutHeight; row++)
            {
                for (var column = 0; column < shape.OutWidth; column++)
                {
                    for (var c = 0; c < shape.C; c++, output++)
                    {
                        var h = row * shape.Stride - shape.Padding + winners[output] / shape.Kernel;
                        var w = column * shape.Stride - shape.Padding + winners[output] % shape.Kernel;
                        dx[((n * shape.H + h) * shape.W + w) * shape.C + c] += dy[output];
                    }
                }
            }
        }
    }

    /// <summary>y[n, c] = mean of x[n, :, :, c]: positions summed in order in float32, then divided.</summary>
    public static void GlobalAverageForward(int n, int positions, int channels, ReadOnlySpan<float> x, Span<float> y)
    {
        Lengths.MustBe(n * positions * channels, x.Length, nameof(x));
        Lengths.MustBe(n * channels, y.Length, nameof(y));
        for (var i = 0; i < n; i++)
        {
            var sums = y.Slice(i * channels, channels);
            x.Slice(i * positions * channels, channels).CopyTo(sums);
            for (var p = 1; p < positions; p++)
                VectorAdd.Accumulate(sums, x.Slice((i * positions + p) * channels, channels));
            VectorAdd.Divide(sums, positions);
        }
    }

    /// <summary>dx[n, p, c] = dy[n, c] / positions.</summary>
    public static void GlobalAverageBackward(int n, int positions, int channels, ReadOnlySpan<float> dy, Span<float> dx)
    {
        Lengths.MustBe(n * positions * channels, dx.Length, nameof(dx));
        Lengths.MustBe(n * channels, dy.Length, nameof(dy));
        for (var i = 0; i < n; i++)
        {
            var first = dx.Slice(i * positions * channels, channels);
            dy.Slice(i * channels, channels).CopyTo(first);
            VectorAdd.Divide(first, positions);
            for (var p = 1; p < positions; p++)
                first.CopyTo(dx[((i * positions + p) * channels)..]);
        }
    }

    private static void MaxOfWindow(in PoolShape shape, ReadOnlySpan<float> x, int n, int row, int column, Span<float> best, Span<byte> winners)
    {
        var found = false;
        for (var i = 0; i < shape.Kernel; i++)
        {
            var h = row * shape.Stride - shape.Padding + i;
            if (h < 0 || h >= shape.H)
                continue;
            for (var j = 0; j < shape.Kernel; j++)
            {
                var w = column * shape.Stride - shape.Padding + j;
                if (w < 0 || w >= shape.W)
                    continue;
                var candidates = x.Slice(((n * shape.H + h) * shape.W + w) * shape.C, best.Length);
                var place = (byte)(i * shape.Kernel + j);
                if (!found)
                {
                    candidates.CopyTo(best);
                    winners.Fill(place);
                    found = true;
                    continue;
                }

                for (var c = 0; c < best.Length; c++)
                {
                    if (candidates[c] > best[c])
                    {
                        best[c] = candidates[c];
                        winners[c] = place;
                    }
                }
            }
        }
    }
}
