using System.Runtime.CompilerServices;

namespace AdderNet.Core.Kernels;

/// <summary>
/// The sum of all inputs that each output position reads: each pixel's channels once (<see cref="PixelSums{TOps, TVector}"/>), then the
/// pixels of each window in order. Pixels of the padding add +0, which changes no bit.
/// </summary>
internal static unsafe class InputSums<TOps, TVector>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
{
    /// <summary>For each output position.</summary>
    public static float* Prepare(ConvolutionPlan plan, float* x, ComputeThreads threads)
    {
        // Vector reads of a window's last row round up.
        const int beyond = 16;
        var shape = plan.Shape;
        var pixelSums = threads.Workspace.Take<float>(WorkspaceSlot.PixelSums, (long)shape.N * plan.PaddedHeight * plan.PaddedWidth + shape.KernelWidth + beyond);
        threads.Split(shape.N * plan.PaddedHeight, new PixelJob { Shape = shape, Source = x, Sums = pixelSums });
        var sums = threads.Workspace.Take<float>(WorkspaceSlot.InputSums, shape.Positions);
        threads.Split(shape.N * shape.OutHeight, new WindowJob { Shape = shape, PixelSums = pixelSums, Sums = sums }, ComputeThreads.GrainOf((long)shape.OutWidth * shape.KernelHeight * shape.KernelWidth));
        return sums;
    }

    private struct PixelJob : ISplitJob
    {
        public ConvolutionShape Shape;
        public float* Source;
        public float* Sums;

        /// <summary>An item is a row of the padded map.</summary>
        public readonly void Run(int first, int end)
        {
            var height = Shape.H + 2 * Shape.Padding;
            var width = Shape.W + 2 * Shape.Padding;
            var offsets = stackalloc int[Shape.W];
            for (var pixel = 0; pixel < Shape.W; pixel++)
                offsets[pixel] = pixel * Shape.C;
            for (var row = first; row < end; row++)
            {
                var sums = Sums + (long)row * width;
                if (Shape.Padding > 0)
                    new Span<float>(sums, width).Clear();
                var (n, h) = (row / height, row % height - Shape.Padding);
                if (h >= 0 && h < Shape.H)
                    PixelSums<TOps, TVector>.Sum(Source + (long)(n * Shape.H + h) * Shape.W * Shape.C, offsets, Shape.W, Shape.C, sums + Shape.Padding);
            }
        }
    }

    private struct WindowJob : ISplitJob
    {
        public ConvolutionShape Shape;
        public float* PixelSums;
        public float* Sums;

        /// <summary>An item is a row of outputs.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int first, int end)
        {
            var height = Shape.H + 2 * Shape.Padding;
            nint width = Shape.W + 2 * Shape.Padding;
            for (var row = first; row < end; row++)
            {
                var (n, h) = (row / Shape.OutHeight, row % Shape.OutHeight);
                var source = PixelSums + (n * height + h * Shape.Stride) * width;
                var destination = Sums + (long)row * Shape.OutWidth;
                if (Shape.Stride == 1)
                    SumNeighbours(source, width, destination);
                else
                    SumEach(source, width, destination);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private readonly void SumNeighbours(float* source, nint width, float* destination)
        {
            for (var column = 0; column < Shape.OutWidth; column += TOps.Width)
            {
                var sum = TOps.Broadcast(0f);
                for (var i = 0; i < Shape.KernelHeight; i++)
                {
                    for (var j = 0; j < Shape.KernelWidth; j++)
                        sum = TOps.Add(sum, TOps.Load(source + i * width + column + j));
                }

                var lanes = Math.Min(TOps.Width, Shape.OutWidth - column);
                if (lanes == TOps.Width)
                    TOps.Store(destination + column, sum);
                else
                    TOps.StorePart(destination + column, sum, lanes);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private readonly void SumEach(float* source, nint width, float* destination)
        {
            // Each sum waits for the one before; four at a time do not.
            var column = 0;
            nint stride = Shape.Stride;
            for (; column <= Shape.OutWidth - 4; column += 4)
            {
                float sum0 = 0f, sum1 = 0f, sum2 = 0f, sum3 = 0f;
                for (var i = 0; i < Shape.KernelHeight; i++)
                {
                    var window = source + i * width + column * stride;
                    for (var end = window + Shape.KernelWidth; window < end; window++)
                    {
                        sum0 += window[0];
                        sum1 += window[stride];
                        sum2 += window[2 * stride];
                        sum3 += window[3 * stride];
                    }
                }

                (destination[column], destination[column + 1], destination[column + 2], destination[column + 3]) = (sum0, sum1, sum2, sum3);
            }

            for (; column < Shape.OutWidth; column++)
            {
                var sum = 0f;
                for (var i = 0; i < Shape.KernelHeight; i++)
                {
                    for (var j = 0; j < Shape.KernelWidth; j++)
                        sum += source[i * width + column * Shape.Stride + j];
                }

                destination[column] = sum;
            }
        }
    }
}
