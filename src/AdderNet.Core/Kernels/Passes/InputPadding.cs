namespace AdderNet.Core.Kernels;

/// <summary>Inputs as the windows of a plan address them: where they lie, or copied with their zero padding around them, as many rows as a span of positions reads.</summary>
internal static unsafe class InputPadding
{
    /// <summary>What <see cref="ConvolutionPlan.Windows"/> of some positions count from.</summary>
    /// <param name="plan">Plan of the shape.</param>
    /// <param name="x">[N, H, W, C].</param>
    /// <param name="firstPosition">The span's first position.</param>
    /// <param name="endPosition">Behind its last position.</param>
    /// <param name="threads">Threads; their memory holds one span's rows.</param>
    public static float* Prepare(ConvolutionPlan plan, float* x, int firstPosition, int endPosition, ComputeThreads threads)
    {
        if (!plan.CopiesInput)
            return x;
        var rowLength = plan.PaddedWidth * plan.Shape.C;
        var firstRow = plan.Windows[firstPosition] / rowLength;
        var rows = plan.Windows[endPosition - 1] / rowLength + plan.Shape.KernelHeight - firstRow;

        // Vector reads round a row's end up.
        var padded = threads.Workspace.Take<float>(WorkspaceSlot.PaddedInput, (long)rows * rowLength);
        threads.Split(rows, new Job { Shape = plan.Shape, FirstRow = firstRow, Source = x, Destination = padded });
        return padded - (nint)firstRow * rowLength;
    }

    /// <summary>The inputs that are copied for some positions; none where inputs are not copied, or no positions are left.</summary>
    public static ElementRun Inputs(ConvolutionPlan plan, float* x, int firstPosition, int endPosition)
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

    private struct Job : ISplitJob
    {
        public ConvolutionShape Shape;
        public int FirstRow;
        public float* Source;
        public float* Destination;

        /// <summary>An item is a padded row.</summary>
        public readonly void Run(int first, int end)
        {
            var margin = Shape.Padding * Shape.C;
            var inside = Shape.W * Shape.C;
            var height = Shape.H + 2 * Shape.Padding;
            for (var row = first; row < end; row++)
            {
                var destination = new Span<float>(Destination + (long)row * (inside + 2 * margin), inside + 2 * margin);
                var (n, h) = ((FirstRow + row) / height, (FirstRow + row) % height - Shape.Padding);
                if (h < 0 || h >= Shape.H)
                {
                    destination.Clear();
                    continue;
                }

                destination[..margin].Clear();
                new ReadOnlySpan<float>(Source + (long)(n * Shape.H + h) * inside, inside).CopyTo(destination[margin..]);
                destination[(margin + inside)..].Clear();
            }
        }
    }
}
