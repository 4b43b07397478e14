namespace AdderNet.Core.Kernels;

/// <summary>Inputs as the windows of a plan address them: where they lie, or copied with their zero padding around them, as many rows as a span of positions reads.</summary>
internal readonly unsafe struct InputPadding
{
    /// <summary>Elements of a cache line.</summary>
    private const int Line = 16;

    private readonly ConvolutionShape shape;
    private readonly float* source;
    private readonly float* destination;
    private readonly int firstRow;
    private readonly int rows;

    /// <param name="plan">Plan of the shape.</param>
    /// <param name="x">[N, H, W, C].</param>
    /// <param name="firstPosition">The span's first position.</param>
    /// <param name="endPosition">Behind its last position.</param>
    /// <param name="memory">Room for the span's rows (<see cref="Room"/>) where inputs are copied.</param>
    public InputPadding(ConvolutionPlan plan, float* x, int firstPosition, int endPosition, float* memory)
    {
        Inputs = x;
        if (!plan.CopiesInput)
            return;
        shape = plan.Shape;
        source = x;
        var rowLength = plan.PaddedWidth * shape.C;
        firstRow = plan.Windows[firstPosition] / rowLength;
        rows = plan.Windows[endPosition - 1] / rowLength + shape.KernelHeight - firstRow;
        destination = memory;
        Inputs = destination - (nint)firstRow * rowLength;
    }

    /// <summary>What <see cref="ConvolutionPlan.Windows"/> of the span's positions count from.</summary>
    public float* Inputs { get; }

    /// <summary>Elements, in whole cache lines, that the copied rows of a span take at most, with what vectors read behind them; 0 where inputs are not copied.</summary>
    public static long Room(ConvolutionPlan plan, int positions)
    {
        if (!plan.CopiesInput)
            return 0;
        var shape = plan.Shape;
        positions = Math.Min(positions, shape.Positions);

        // A span may begin with the last position of a row, and with the last row of a sample.
        var rows = (positions + 2 * shape.OutWidth - 2) / shape.OutWidth;
        var samples = (rows + 2 * shape.OutHeight - 2) / shape.OutHeight;
        var between = Math.Max(plan.PaddedHeight - (shape.OutHeight - 1) * shape.Stride, shape.Stride);
        var room = ((rows - samples) * shape.Stride + (samples - 1) * between + shape.KernelHeight) * (long)plan.PaddedWidth * shape.C;
        return (room / Line + 2) * Line;
    }

    /// <summary>Copies one of as many parts of the rows as there are shares.</summary>
    public void Copy(int share, int shares)
    {
        var margin = shape.Padding * shape.C;
        var inside = shape.W * shape.C;
        var height = shape.H + 2 * shape.Padding;
        for (var row = (int)((long)rows * share / shares); row < (int)((long)rows * (share + 1) / shares); row++)
        {
            var to = new Span<float>(destination + (long)row * (inside + 2 * margin), inside + 2 * margin);
            var (n, h) = ((firstRow + row) / height, (firstRow + row) % height - shape.Padding);
            if (h < 0 || h >= shape.H)
            {
                to.Clear();
                continue;
            }

            to[..margin].Clear();
            new ReadOnlySpan<float>(source + (long)(n * shape.H + h) * inside, inside).CopyTo(to[margin..]);
            to[(margin + inside)..].Clear();
        }
    }

    /// <summary>The inputs that are copied for some positions; none where inputs are not copied, or no positions are left.</summary>
    public static ElementRun Copied(ConvolutionPlan plan, float* x, int firstPosition, int endPosition)
    {
        if (!plan.CopiesInput || firstPosition >= endPosition)
            return default;
        var rowLength = plan.PaddedWidth * plan.Shape.C;
        var first = InputRow(plan, plan.Windows[firstPosition] / rowLength);
        var end = InputRow(plan, plan.Windows[endPosition - 1] / rowLength + plan.Shape.KernelHeight);
        nint inside = plan.Shape.W * plan.Shape.C;
        return new ElementRun { First = x + first * inside, Length = (end - first) * inside };
    }

    /// <summary>The input row at a padded row, or the next one where that is padding.</summary>
    private static int InputRow(ConvolutionPlan plan, int row) =>
        row / plan.PaddedHeight * plan.Shape.H + Math.Clamp(row % plan.PaddedHeight - plan.Shape.Padding, 0, plan.Shape.H);
}
