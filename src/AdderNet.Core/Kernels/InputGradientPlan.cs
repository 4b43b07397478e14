namespace AdderNet.Core.Kernels;

/// <summary>Input positions that meet the same taps: interior, edges and corners, and at strides above 1 one such set a parity.</summary>
/// <param name="Terms">Runs over (tap, filter) relative to a position's gradient offset; terms of absent taps are left out.</param>
/// <param name="Positions">Number of positions.</param>
/// <param name="GradientOffsets">The output gradient that each position's first tap reads. Pinned.</param>
/// <param name="InputOffsets">First element of each position in x and dx. Pinned.</param>
internal sealed record InputGradientClass(TermBlocks Terms, int Positions, int[] GradientOffsets, int[] InputOffsets);

/// <summary>The input positions of a shape, grouped by the taps that they meet.</summary>
internal sealed class InputGradientPlan
{
    public InputGradientPlan(in ConvolutionShape shape)
    {
        var rows = Axis(shape.H, shape.KernelHeight, shape.OutHeight, shape.Stride, shape.Padding);
        var columns = Axis(shape.W, shape.KernelWidth, shape.OutWidth, shape.Stride, shape.Padding);
        var classes = new List<InputGradientClass>();
        foreach (var row in rows)
        {
            foreach (var column in columns)
                classes.Add(Join(shape, row, column));
        }

        Classes = [.. classes];
    }

    public InputGradientClass[] Classes { get; }

    private static InputGradientClass Join(in ConvolutionShape shape, AxisGroup rows, AxisGroup columns)
    {
        var runs = new List<TileSegment>();
        for (var i = 0; i < rows.Taps; i++)
        {
            for (var j = 0; j < columns.Taps; j++)
            {
                var tap = (rows.FirstTap + i * shape.Stride) * shape.KernelWidth + columns.FirstTap + j * shape.Stride;
                runs.Add(new TileSegment(-(i * shape.OutWidth + j) * shape.T, shape.T, tap * shape.T));
            }
        }

        var positions = shape.N * rows.Places.Count * columns.Places.Count;
        var gradientOffsets = Pinned.Array<int>(positions + ConvolutionPlan.TableSlack);
        var inputOffsets = Pinned.Array<int>(positions + ConvolutionPlan.TableSlack);
        var at = 0;
        for (var n = 0; n < shape.N; n++)
        {
            foreach (var (h, outputRow) in rows.Places)
            {
                foreach (var (w, outputColumn) in columns.Places)
                {
                    gradientOffsets[at] = ((n * shape.OutHeight + outputRow) * shape.OutWidth + outputColumn) * shape.T;
                    inputOffsets[at++] = ((n * shape.H + h) * shape.W + w) * shape.C;
                }
            }
        }

        gradientOffsets.AsSpan(positions).Fill(gradientOffsets[positions - 1]);
        inputOffsets.AsSpan(positions).Fill(inputOffsets[positions - 1]);
        return new InputGradientClass(new TermBlocks(runs, SummationOrder.InputGradientBlock), positions, gradientOffsets, inputOffsets);
    }

    /// <summary>Groups the rows (or columns) of a map by the taps that they meet.</summary>
    private static List<AxisGroup> Axis(int size, int kernel, int outputs, int stride, int padding)
    {
        var groups = new List<AxisGroup>();
        for (var place = 0; place < size; place++)
        {
            var first = -1;
            var taps = 0;
            for (var tap = (place + padding) % stride; tap < kernel; tap += stride)
            {
                var output = (place + padding - tap) / stride;
                if (place + padding < tap || output >= outputs)
                    continue;
                first = first < 0 ? tap : first;
                taps++;
            }

            var group = groups.Find(g => g.FirstTap == first && g.Taps == taps);
            if (group is null)
                groups.Add(group = new AxisGroup(first, taps, []));
            group.Places.Add((place, first < 0 ? 0 : (place + padding - first) / stride));
        }

        return groups;
    }

    private sealed record AxisGroup(int FirstTap, int Taps, List<(int Place, int FirstOutput)> Places);
}
