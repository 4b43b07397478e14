namespace AdderNet.Core.Kernels;

/// <summary>
/// The convolution passes in plain loops: the definition of numerics version 3, with which every fast kernel is compared
/// bit for bit. Terms of a filter run in the order (tap row, tap column, channel), positions in the order (n, row, column);
/// padded elements are +0 and take part like any other.
/// </summary>
internal sealed class ReferenceKernels : IConvolutionKernels
{
    /// <inheritdoc/>
    public void AdderForward(in ConvolutionShape shape, ReadOnlySpan<float> x, ReadOnlySpan<float> filters, Span<float> y, ComputeThreads threads)
    {
        // -|x - f| = x + f - 2 max(x, f): the sums of x and of f are taken once a position and once a filter. Taps that lie
        // in the padding meet +0 only: theirs are taken once a filter too.
        var filterSums = new float[shape.T];
        for (var t = 0; t < shape.T; t++)
            filterSums[t] = FilterSum(shape, filters, t);

        foreach (var p in new OutputPositions(shape))
        {
            var inputSum = InputSum(shape, x, p);
            for (var t = 0; t < shape.T; t++)
            {
                var offset = filterSums[t] + -2 * PaddingSum(shape, filters, t, p) + inputSum;
                y[p.Index * shape.T + t] = Gather(shape, x, filters, p, t, offset, (ref BlockedSum sum, float input, float filter) =>
                    sum.Add(-2 * (input > filter ? input : filter)));
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
            var gradientSum = new BlockedSum(int.MaxValue);
            for (var p = 0; p < shape.Positions; p++)
            {
                gradientSum.Add(g[p * shape.T + t]);
                if (EndsPositionBlock(shape, p))
                    gradientSum.EndBlock();
            }

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
                        var sum = new BlockedSum(int.MaxValue);
                        foreach (var p in new OutputPositions(shape))
                        {
                            var input = Input(shape, x, p, i, j, c);
                            var output = g[p.Index * shape.T + t];
                            sum.Add(input > filters[at] ? output : input < filters[at] ? -output : 0f);
                            if (EndsPositionBlock(shape, p.Index))
                                sum.EndBlock();
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
                var sum = Gather(shape, x, filters, p, t, 0f, (ref BlockedSum terms, float input, float filter) => terms.AddProduct(input, filter));
                y[p.Index * shape.T + t] = bias.IsEmpty ? sum : sum + bias[t];
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
                        var sum = new BlockedSum(int.MaxValue);
                        foreach (var p in new OutputPositions(shape))
                        {
                            sum.AddProduct(Input(shape, x, p, i, j, c), g[p.Index * shape.T + t]);
                            if (EndsPositionBlock(shape, p.Index))
                                sum.EndBlock();
                        }

                        gradient[FilterIndex(shape, t, i, j, c)] = sum.Total;
                    }
                }
            }
        }
    }

    /// <inheritdoc/>
    public void InputGradient(in ConvolutionShape shape, ReadOnlySpan<float> filters, ReadOnlySpan<float> g, Span<float> dx, ComputeThreads threads) =>
        GatherInputGradient(shape, default, filters, g, dx);

    private delegate void AddTerm(ref BlockedSum sum, float input, float filter);

    /// <summary>One output: the terms of the taps that lie inside the map, over (tap row, tap column, channel).</summary>
    private static float Gather(in ConvolutionShape shape, ReadOnlySpan<float> x, ReadOnlySpan<float> filters, in OutputPosition p, int t, float offset, AddTerm add)
    {
        var (rows, columns) = (new List<int>(), new List<int>());
        for (var i = 0; i < shape.KernelHeight; i++)
        {
            if (IsInside(p.Row * shape.Stride - shape.Padding + i, shape.H))
                rows.Add(i);
        }

        for (var j = 0; j < shape.KernelWidth; j++)
        {
            if (IsInside(p.Column * shape.Stride - shape.Padding + j, shape.W))
                columns.Add(j);
        }

        var sum = new BlockedSum(SummationOrder.ChunkBlocks, offset);
        var cut = new BlockCut(rows.Count, columns.Count * shape.C, SummationOrder.ForwardBlock);
        for (var row = 0; row < rows.Count; row++)
        {
            for (var term = 0; term < columns.Count * shape.C; term++)
            {
                var (i, j, c) = (rows[row], columns[term / shape.C], term % shape.C);
                add(ref sum, Input(shape, x, p, i, j, c), filters[FilterIndex(shape, t, i, j, c)]);
                if (cut.EndsAfter(row, term))
                    sum.EndBlock();
            }
        }

        return sum.Total;
    }

    /// <summary>
    /// Sums over the taps by which output positions read the element, the last tap row and column first, and within a tap over
    /// filters. An empty <paramref name="x"/> multiplies by F instead of clamp(F - X).
    /// </summary>
    private static void GatherInputGradient(in ConvolutionShape shape, ReadOnlySpan<float> x, ReadOnlySpan<float> filters, ReadOnlySpan<float> g, Span<float> dx)
    {
        for (var at = 0; at < shape.InputLength; at++)
        {
            var c = at % shape.C;
            var column = at / shape.C % shape.W;
            var row = at / shape.C / shape.W % shape.H;
            var n = at / shape.C / shape.W / shape.H;
            var rows = Readers(shape.KernelHeight, row, shape.OutHeight, shape);
            var columns = Readers(shape.KernelWidth, column, shape.OutWidth, shape);
            var sum = new BlockedSum(SummationOrder.ChunkBlocks);
            var cut = new BlockCut(rows.Count, columns.Count * shape.T, SummationOrder.InputGradientBlock);
            for (var i = 0; i < rows.Count; i++)
            {
                for (var term = 0; term < columns.Count * shape.T; term++)
                {
                    var ((tapRow, outputRow), (tapColumn, outputColumn), t) = (rows[i], columns[term / shape.T], term % shape.T);
                    var filter = filters[FilterIndex(shape, t, tapRow, tapColumn, c)];
                    var output = ((n * shape.OutHeight + outputRow) * shape.OutWidth + outputColumn) * shape.T + t;
                    sum.AddProduct(x.IsEmpty ? filter : Clamp(filter - x[at]), g[output]);
                    if (cut.EndsAfter(i, term))
                        sum.EndBlock();
                }
            }

            dx[at] = sum.Total;
        }
    }

    /// <summary>The taps by which outputs read a row (or column), the last one first, each with the output's row (or column).</summary>
    private static List<(int Tap, int Output)> Readers(int kernel, int place, int outputs, in ConvolutionShape shape)
    {
        var readers = new List<(int, int)>();
        for (var tap = kernel - 1; tap >= 0; tap--)
        {
            var strided = place + shape.Padding - tap;
            if (strided >= 0 && strided % shape.Stride == 0 && strided / shape.Stride < outputs)
                readers.Add((tap, strided / shape.Stride));
        }

        return readers;
    }

    private static bool EndsPositionBlock(in ConvolutionShape shape, int position) =>
        (position + 1) % SummationOrder.PositionBlock == 0 || position + 1 == shape.Positions;

    private static bool IsInside(int place, int size) => place >= 0 && place < size;

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

    /// <summary>
    /// The sum of max(0, f) over the taps of a filter that lie in the padding at a position: each tap's channels one after
    /// another, then the taps over (tap row, tap column).
    /// </summary>
    private static float PaddingSum(in ConvolutionShape shape, ReadOnlySpan<float> filters, int t, in OutputPosition p)
    {
        var sum = 0f;
        for (var i = 0; i < shape.KernelHeight; i++)
        {
            for (var j = 0; j < shape.KernelWidth; j++)
            {
                if (IsInside(p.Row * shape.Stride - shape.Padding + i, shape.H) && IsInside(p.Column * shape.Stride - shape.Padding + j, shape.W))
                    continue;
                var tap = 0f;
                for (var c = 0; c < shape.C; c++)
                {
                    var filter = filters[FilterIndex(shape, t, i, j, c)];
                    tap += 0f > filter ? 0f : filter;
                }

                sum += tap;
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
        return IsInside(row, shape.H) && IsInside(column, shape.W)
            ? x[((p.N * shape.H + row) * shape.W + column) * shape.C + c]
            : 0f;
    }

    private static int FilterIndex(in ConvolutionShape shape, int t, int i, int j, int c) =>
        ((t * shape.C + c) * shape.KernelHeight + i) * shape.KernelWidth + j;
}
