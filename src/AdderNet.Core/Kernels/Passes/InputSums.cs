using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

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

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int first, int end)
        {
            const int lanes = SummationOrder.PixelLanes;
            if (Channels < lanes)
            {
                RunFew(first, end);
                return;
            }

            var partial = stackalloc float[lanes];
            for (var pixel = first; pixel < end; pixel++)
            {
                var source = Source + (long)pixel * Channels;
                for (var lane = 0; lane < lanes; lane += TOps.Width)
                {
                    var sum = TOps.Broadcast(0f);
                    for (var at = lane; at <= Channels - lanes + lane; at += lanes)
                        sum = TOps.Add(sum, TOps.Load(source + at));
                    TOps.Store(partial + lane, sum);
                }

                for (var c = Channels - Channels % lanes; c < Channels; c++)
                    partial[c % lanes] += source[c];
                Sums[pixel] = Fold(partial, lanes);
            }
        }

        /// <summary>Fewer channels than lanes: each lane holds one at most, and lanes of +0 need no folding.</summary>
        private readonly void RunFew(int first, int end)
        {
            var lanes = (int)BitOperations.RoundUpToPowerOf2((uint)Channels);
            var partial = stackalloc float[SummationOrder.PixelLanes];
            new Span<float>(partial, SummationOrder.PixelLanes).Clear();
            for (var pixel = first; pixel < end; pixel++)
            {
                var source = Source + (long)pixel * Channels;
                for (var c = 0; c < Channels; c++)
                    partial[c] = 0f + source[c];
                for (var c = Channels; c < lanes; c++)
                    partial[c] = 0f;
                Sums[pixel] = Fold(partial, lanes);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static float Fold(float* partial, int lanes)
        {
            if (lanes == SummationOrder.PixelLanes && Vector128.IsHardwareAccelerated)
            {
                var four = (Vector128.Load(partial) + Vector128.Load(partial + 8)) + (Vector128.Load(partial + 4) + Vector128.Load(partial + 12));
                var two = four + Vector128.Shuffle(four, Vector128.Create(2, 3, 2, 3));
                return two[0] + two[1];
            }

            for (var half = lanes / 2; half > 0; half /= 2)
            {
                for (var lane = 0; lane < half; lane++)
                    partial[lane] += partial[lane + half];
            }

            return partial[0];
        }
    }

    private struct WindowJob<TOps, TVector> : ISplitJob
        where TOps : struct, IVectorOps<TVector>
        where TVector : unmanaged
    {
        public ConvolutionShape Shape;
        public float* PixelSums;
        public float* Sums;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
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
