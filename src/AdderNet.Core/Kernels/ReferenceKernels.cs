namespace AdderNet.Core.Kernels;

/// <summary>
/// The convolution passes in plain loops: the definition of numerics version 2, with which every fast kernel is compared
/// bit for bit. Terms of a filter run in the order (tap row, tap column, channel), positions in the order (n, row, column);
/// padded elements are +0 and take part like any other.
/// </summary>
internal sealed class ReferenceKernels : IConvolutionKernels
{
    /// <inheritdoc/>
    public void AdderForward(in ConvolutionShape shape, ReadOnlySpan<float> x, ReadOnlySpan<float> filters, Span<float> y, ComputeThreads threads)
    {
        // -|x - f| = x + f - 2 max(x, f): the sums of x and of f are taken once a position and once a filter.
        var filterSums = new float[shape.T];
        for (var t = 0; t < shape.T; t++)
            filterSums[t] = FilterSum(shape, filters, t);

        foreach (var p in new OutputPositions(shape))
        {
            var inputSum = InputSum(shape, x, p);
            for (var t = 0; t < shape.T; t++)
            {
                var sum = new BlockedSum(SummationOrder.ForwardBlock, offset: filterSums[t] + inputSum);
                for (var i = 0; i < shape.KernelHeight; i++)
                {
                    for (var j = 0; j < shape.KernelWidth; j++)
                    {
                        for (var c = 0; c < shape.C; c++)
                        {
                            var input = Input(shape, x, p, i, j, c);
                            var filter = filters[FilterIndex(shape, t, i, j, c)];
                            sum.Add(-2 * (input > filter ? input : filter));
                        }
                    }
                }

                y[p.Index * shape.T + t] = sum.Total;
            }
        }
    }

    /// <inheritdoc/>
    public void AdderFilterGradient(in ConvolutionShape shape, ReadOnlySpan<float> x, ReadOnlySpan<float> filters, ReadOnlySpan<float> g, Span<float> gradient, ComputeThreads threads)
    {
        // sum_p (x - f) g = sum_p x g - f sum_p g
        FilterGradient(shape, x, g, gradient, threads);
        for (var t = 0; t < shape.T; t++)
        {
            var gradientSum = new BlockedSum(SummationOrder.PositionBlock);
            for (var p = 0; p < shape.Positions; p++)
                gradientSum.Add(g[p * shape.T + t]);

            for (var i = t * shape.FilterElements; i < (t + 1) * shape.FilterElements; i++)
                gradient[i] = Numerics.Fused.MultiplyAdd(-filters[i], gradientSum.Total, gradient[i]);
        }
    }

    /// <inheritdoc/>
    public void AdderFilterGradientSign(in ConvolutionShape shape, ReadOnlySpan<float> x, ReadOnlySpan<float> filters, ReadOnlySpan<float> g, Span<float> gradient, ComputeThreads threads)
    {
        for (var t = 0; t < shape.T; t++)
        {
            for (var i = 0; i < shape.KernelHeight; i++)
            {
                for (var j = 0; j < shape.KernelWidth; j++)
                {
                    for (var c = 0; c < shape.C; c++)
                    {
                        var at = FilterIndex(shape, t, i, j, c);
                        var sum = new BlockedSum(SummationOrder.PositionBlock);
                        foreach (var p in new OutputPositions(shape))
                        {
                            var input = Input(shape, x, p, i, j, c);
                            var output = g[p.Index * shape.T + t];
                            sum.Add(input > filters[at] ? output : input < filters[at] ? -output : 0f);
                        }

                        gradient[at] = sum.Total;
                    }
                }
            }
        }
    }

    /// <inheritdoc/>
    public void AdderInputGradient(in ConvolutionShape shape, ReadOnlySpan<float> x, ReadOnlySpan<float> filters, ReadOnlySpan<float> g, Span<float> dx, ComputeThreads threads) =>
        GatherInputGradient(shape, x, filters, g, dx);

    /// <inheritdoc/>
    public void Forward(in ConvolutionShape shape, ReadOnlySpan<float> x, ReadOnlySpan<float> filters, ReadOnlySpan<float> bias, Span<float> y, ComputeThreads threads)
    {
        foreach (var p in new OutputPositions(shape))
        {
            for (var t = 0; t < shape.T; t++)
            {
                var sum = new BlockedSum(SummationOrder.ForwardBlock);
                for (var i = 0; i < shape.KernelHeight; i++)
                {
                    for (var j = 0; j < shape.KernelWidth; j++)
                    {
                        for (var c = 0; c < shape.C; c++)
                            sum.AddProduct(Input(shape, x, p, i, j, c), filters[FilterIndex(shape, t, i, j, c)]);
                    }
                }

                y[p.Index * shape.T + t] = bias.IsEmpty ? sum.Total : sum.Total + bias[t];
            }
        }
    }

    /// <inheritdoc/>
    public void FilterGradient(in ConvolutionShape shape, ReadOnlySpan<float> x, ReadOnlySpan<float> g, Span<float> gradient, ComputeThreads threads)
    {
        for (var t = 0; t < shape.T; t++)
        {
            for (var i = 0; i < shape.KernelHeight; i++)
            {
                for (var j = 0; j < shape.KernelWidth; j++)
                {
                    for (var c = 0; c < shape.C; c++)
                    {
                        var sum = new BlockedSum(SummationOrder.PositionBlock);
                        foreach (var p in new OutputPositions(shape))
                            sum.AddProduct(Input(shape, x, p, i, j, c), g[p.Index * shape.T + t]);
                        gradient[FilterIndex(shape, t, i, j, c)] = sum.Total;
                    }
                }
            }
        }
    }

    /// <inheritdoc/>
    public void InputGradient(in ConvolutionShape shape, ReadOnlySpan<float> filters, ReadOnlySpan<float> g, Span<float> dx, ComputeThreads threads) =>
        GatherInputGradient(shape, default, filters, g, dx);

    /// <summary>
    /// Sums over (tap row, tap column, filter); a tap that no output position has at this element gives a term of +0 for each
    /// filter. An empty <paramref name="x"/> multiplies by F instead of clamp(F - X).
    /// </summary>
    private static void GatherInputGradient(in ConvolutionShape shape, ReadOnlySpan<float> x, ReadOnlySpan<float> filters, ReadOnlySpan<float> g, Span<float> dx)
    {
        for (var at = 0; at < shape.InputLength; at++)
        {
            var c = at % shape.C;
            var column = at / shape.C % shape.W;
            var row = at / shape.C / shape.W % shape.H;
            var n = at / shape.C / shape.W / shape.H;
            var sum = new BlockedSum(SummationOrder.InputGradientBlock);
            for (var i = 0; i < shape.KernelHeight; i++)
            {
                for (var j = 0; j < shape.KernelWidth; j++)
                {
                    var p = OutputIndex(shape, n, row + shape.Padding - i, column + shape.Padding - j);
                    for (var t = 0; t < shape.T; t++)
                    {
                        var filter = filters[FilterIndex(shape, t, i, j, c)];
                        if (p < 0)
                            sum.Add(0f);
                        else
                            sum.AddProduct(x.IsEmpty ? filter : Clamp(filter - x[at]), g[p * shape.T + t]);
                    }
                }
            }

            dx[at] = sum.Total;
        }
    }

    /// <summary>The output position at these rows and columns times the stride, or -1.</summary>
    private static int OutputIndex(in ConvolutionShape shape, int n, int stridedRow, int stridedColumn)
    {
        var (row, rowRest) = Math.DivRem(stridedRow, shape.Stride);
        var (column, columnRest) = Math.DivRem(stridedColumn, shape.Stride);
        return stridedRow < 0 || stridedColumn < 0 || rowRest != 0 || columnRest != 0 || row >= shape.OutHeight || column >= shape.OutWidth
            ? -1
            : (n * shape.OutHeight + row) * shape.OutWidth + column;
    }

    private static float Clamp(float value) => value < -1f ? -1f : value > 1f ? 1f : value;

    /// <summary>The sum of one filter's elements, one after another.</summary>
    private static float FilterSum(in ConvolutionShape shape, ReadOnlySpan<float> filters, int t)
    {
        var sum = 0f;
        for (var i = 0; i < shape.KernelHeight; i++)
        {
            for (var j = 0; j < shape.KernelWidth; j++)
            {
                for (var c = 0; c < shape.C; c++)
                    sum += filters[FilterIndex(shape, t, i, j, c)];
            }
        }

        return sum;
    }

    /// <summary>The sum of the inputs that one position reads: pixel by pixel, each pixel's channels in interleaved lanes.</summary>
    private static float InputSum(in ConvolutionShape shape, ReadOnlySpan<float> x, in OutputPosition p)
    {
        Span<float> lanes = stackalloc float[SummationOrder.PixelLanes];
        var sum = 0f;
        for (var i = 0; i < shape.KernelHeight; i++)
        {
            for (var j = 0; j < shape.KernelWidth; j++)
            {
                lanes.Clear();
                for (var c = 0; c < shape.C; c++)
                    lanes[c % SummationOrder.PixelLanes] += Input(shape, x, p, i, j, c);
                for (var half = SummationOrder.PixelLanes / 2; half > 0; half /= 2)
                {
                    for (var lane = 0; lane < half; lane++)
                        lanes[lane] += lanes[lane + half];
                }

                sum += lanes[0];
            }
        }

        return sum;
    }

    private static float Input(in ConvolutionShape shape, ReadOnlySpan<float> x, in OutputPosition p, int i, int j, int c)
    {
        var row = p.Row * shape.Stride - shape.Padding + i;
        var column = p.Column * shape.Stride - shape.Padding + j;
        return row < 0 || row >= shape.H || column < 0 || column >= shape.W
            ? 0f
            : x[((p.N * shape.H + row) * shape.W + column) * shape.C + c];
    }

    private static int FilterIndex(in ConvolutionShape shape, int t, int i, int j, int c) =>
        ((t * shape.C + c) * shape.KernelHeight + i) * shape.KernelWidth + j;
}
