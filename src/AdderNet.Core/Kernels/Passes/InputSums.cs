namespace AdderNet.Core.Kernels;

/// <summary>
/// The sum of all inputs that each output position reads: each pixel's channels once, in 16 interleaved lanes that fold to
/// one, then the pixels of each window in order.
/// </summary>
internal static unsafe class InputSums
{
    public static float* Prepare<TOps, TVector>(ConvolutionPlan plan, float* padded, ComputeThreads threads)
        where TOps : struct, IVectorOps<TVector>
        where TVector : unmanaged
    {
        var shape = plan.Shape;
        var pixels = shape.N * plan.PaddedHeight * plan.PaddedWidth;
        var pixelSums = threads.Workspace.Take<float>(WorkspaceSlot.PixelSums, pixels);
        threads.Split(pixels, new PixelJob<TOps, TVector> { Channels = shape.C, Source = padded, Sums = pixelSums });
        var sums = threads.Workspace.Take<float>(WorkspaceSlot.InputSums, shape.Positions + ConvolutionPlan.TableSlack);
        new Span<float>(sums + shape.Positions, ConvolutionPlan.TableSlack).Clear();
        threads.Split(shape.N * shape.OutHeight, new WindowJob<TOps, TVector> { Shape = shape, PixelSums = pixelSums, Sums = sums });
        return sums;
    }

    private struct PixelJob<TOps, TVector> : ISplitJob
        where TOps : struct, IVectorOps<TVector>
        where TVector : unmanaged
    {
        public int Channels;
        public float* Source;
        public float* Sums;

        public readonly void Run(int first, int end)
        {
            const int lanes = SummationOrder.PixelLanes;
            var partial = stackalloc float[lanes];
            for (var pixel = first; pixel < end; pixel++)
            {
                var source = Source + (long)pixel * Channels;
                var c = 0;
                for (; c <= Channels - lanes; c += lanes)
                {
                    for (var lane = 0; lane < lanes; lane += TOps.Width)
                    {
                        var value = TOps.Load(source + c + lane);
                        TOps.Store(partial + lane, TOps.Add(c == 0 ? TOps.Broadcast(0f) : TOps.Load(partial + lane), value));
                    }
                }

                for (var lane = 0; lane < lanes; lane++)
                {
                    if (c == 0)
                        partial[lane] = 0f;
                    if (c + lane < Channels)
                        partial[lane] += source[c + lane];
                }

                for (var half = lanes / 2; half > 0; half /= 2)
                {
                    for (var lane = 0; lane < half; lane++)
                        partial[lane] += partial[lane + half];
                }

                Sums[pixel] = partial[0];
            }
        }
    }

    private struct WindowJob<TOps, TVector> : ISplitJob
        where TOps : struct, IVectorOps<TVector>
        where TVector : unmanaged
    {
        public ConvolutionShape Shape;
        public float* PixelSums;
        public float* Sums;

        public readonly void Run(int first, int end)
        {
            var width = Shape.W + 2 * Shape.Padding;
            var height = Shape.H + 2 * Shape.Padding;
            for (var row = first; row < end; row++)
            {
                var (n, h) = (row / Shape.OutHeight, row % Shape.OutHeight);
                var source = PixelSums + (n * height + h * Shape.Stride) * width;
                var destination = Sums + row * Shape.OutWidth;
                var column = 0;
                if (Shape.Stride == 1)
                {
                    for (; column <= Shape.OutWidth - TOps.Width; column += TOps.Width)
                    {
                        var sum = TOps.Broadcast(0f);
                        for (var i = 0; i < Shape.KernelHeight; i++)
                        {
                            for (var j = 0; j < Shape.KernelWidth; j++)
                                sum = TOps.Add(sum, TOps.Load(source + i * width + column + j));
                        }

                        TOps.Store(destination + column, sum);
                    }
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
}
