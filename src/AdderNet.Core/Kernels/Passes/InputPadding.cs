namespace AdderNet.Core.Kernels;

/// <summary>Inputs as the windows of a plan address them: where they lie, or copied with their zero padding around them, as many rows as a span of positions reads.</summary>
internal readonly unsafe struct InputPadding
{
    private readonly ConvolutionShape shape;
    private readonly float* source;
    private readonly float* destination;
    private readonly int firstRow;
    private readonly int rows;

    /// <param name="plan">Plan of the shape.</param>
    /// <param name="x">[N, H, W, C].</param>
    /// <param name="firstPosition">The span's first position.</param>
    /// <param name="endPosition">Behind its last position.</param>
    /// <param name="threads">Give the memory, which holds one span's rows.</param>
    public InputPadding(ConvolutionPlan plan, float* x, int firstPosition, int endPosition, ComputeThreads threads)
    {
        Inputs = x;
        if (!plan.CopiesInput)
            return;
        shape = plan.Shape;
        source = x;
        var rowLength = plan.PaddedWidth * shape.C;
        firstRow = plan.Windows[firstPosition] / rowLength;
        rows = plan.Windows[endPosition - 1] / rowLength + shape.KernelHeight - firstRow;
        destination = threads.Workspace.Take<float>(WorkspaceSlot.PaddedInput, (long)rows * rowLength);
        Inputs = destination - (nint)firstRow * rowLength;
    }

    /// <summary>What <see cref="ConvolutionPlan.Windows"/> of the span's positions count from.</summary>
    public float* Inputs { get; }

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
