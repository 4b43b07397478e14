namespace AdderNet.Core.Kernels;

/// <summary>Copies a map into a buffer with its zero padding around it, so that tiles walk it without asking where they are.</summary>
internal static unsafe class InputPadding
{
    /// <summary>The input as a plan's row offsets address it: a padded copy, or <paramref name="x"/> itself.</summary>
    public static float* Prepare(ConvolutionPlan plan, float* x, ComputeThreads threads)
    {
        if (!plan.CopiesInput)
            return x;
        var padded = threads.Workspace.Take<float>(WorkspaceSlot.PaddedInput, plan.PaddedLength);
        threads.Split(plan.Shape.N * plan.PaddedHeight, new Job { Shape = plan.Shape, Source = x, Destination = padded });
        return padded;
    }

    private struct Job : ISplitJob
    {
        public ConvolutionShape Shape;
        public float* Source;
        public float* Destination;

        public readonly void Run(int first, int end)
        {
            var margin = Shape.Padding * Shape.C;
            var inside = Shape.W * Shape.C;
            var height = Shape.H + 2 * Shape.Padding;
            for (var row = first; row < end; row++)
            {
                var destination = new Span<float>(Destination + (long)row * (inside + 2 * margin), inside + 2 * margin);
                var (n, h) = (row / height, row % height - Shape.Padding);
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
