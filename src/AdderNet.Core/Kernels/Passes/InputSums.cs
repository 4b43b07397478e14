using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace AdderNet.Core.Kernels;

/// <summary>
/// The sum of all inputs that each output position reads: each pixel's channels once, in 16 interleaved lanes that fold to
/// one, then the pixels of each window in order. Pixels of the padding add +0, which changes no bit.
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
        if (shape is { KernelHeight: 1, KernelWidth: 1, Padding: 0 })
        {
            var single = threads.Workspace.Take<float>(WorkspaceSlot.InputSums, shape.Positions);
            threads.Split(shape.N * shape.OutHeight, new PixelJob { Shape = shape, Stride = shape.Stride, Source = x, Sums = single });
            return single;
        }

        var pixelSums = threads.Workspace.Take<float>(WorkspaceSlot.PixelSums, (long)shape.N * plan.PaddedHeight * plan.PaddedWidth + shape.KernelWidth + beyond);
        threads.Split(shape.N * plan.PaddedHeight, new PixelJob { Shape = shape, Stride = 1, Source = x, Sums = pixelSums });
        var sums = threads.Workspace.Take<float>(WorkspaceSlot.InputSums, shape.Positions);
        threads.Split(shape.N * shape.OutHeight, new WindowJob { Shape = shape, PixelSums = pixelSums, Sums = sums });
        return sums;
    }

    private struct PixelJob : ISplitJob
    {
        private const int Lanes = SummationOrder.PixelLanes;

        public ConvolutionShape Shape;
        public float* Source;
        public float* Sums;

        /// <summary>Which rows and columns are wanted; above 1 without padding only.</summary>
        public int Stride;

        private readonly int Width => (Shape.W - 1) / Stride + 1;

        /// <summary>An item is a row of the padded map.</summary>
        public readonly void Run(int first, int end)
        {
            var height = (Shape.H - 1) / Stride + 1 + 2 * Shape.Padding;
            var width = Width + 2 * Shape.Padding;
            for (var row = first; row < end; row++)
            {
                var sums = Sums + (long)row * width;
                if (Shape.Padding > 0)
                    new Span<float>(sums, width).Clear();
                var (n, h) = (row / height, row % height - Shape.Padding);
                if (h < 0 || h * Stride >= Shape.H)
                    continue;
                var source = Source + (long)(n * Shape.H + h * Stride) * Shape.W * Shape.C;
                if (Shape.C < Lanes)
                    SumFew(source, sums + Shape.Padding);
                else
                    SumMany(source, sums + Shape.Padding);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void SumMany(float* source, float* sums)
        {
            var partial = stackalloc float[Lanes];
            var pixel = 0;
            if (Sse.IsSupported && Shape.C % Lanes == 0)
            {
                // Hardware does not foresee which rows and columns are left out.
                nint ahead = Stride > 1 ? (48 / Width + 1) * Stride * Shape.W * Shape.C : 0;
                for (nint next = Shape.C * Stride; pixel <= Width - 4; pixel += 4, source += 4 * next)
                {
                    for (nint c = 0; ahead > 0 && c < Shape.C; c += Lanes)
                    {
                        Sse.Prefetch0(source + ahead + c);
                        Sse.Prefetch0(source + ahead + next + c);
                        Sse.Prefetch0(source + ahead + 2 * next + c);
                        Sse.Prefetch0(source + ahead + 3 * next + c);
                    }

                    Fold(Quarter(source), Quarter(source + next), Quarter(source + 2 * next), Quarter(source + 3 * next)).Store(sums + pixel);
                }
            }

            for (; pixel < Width; pixel++, source += Shape.C * Stride)
            {
                for (var lane = 0; lane < Lanes; lane += TOps.Width)
                {
                    var sum = TOps.Broadcast(0f);
                    for (var at = lane; at <= Shape.C - Lanes + lane; at += Lanes)
                        sum = TOps.Add(sum, TOps.Load(source + at));
                    TOps.Store(partial + lane, sum);
                }

                for (var c = Shape.C - Shape.C % Lanes; c < Shape.C; c++)
                    partial[c % Lanes] += source[c];
                sums[pixel] = Fold(partial, Lanes);
            }
        }

        /// <summary>Fewer channels than lanes: each lane holds one at most, and lanes of +0 need no folding.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void SumFew(float* source, float* sums)
        {
            var lanes = (int)BitOperations.RoundUpToPowerOf2((uint)Shape.C);
            var partial = stackalloc float[Lanes];
            for (var pixel = 0; pixel < Width; pixel++, source += Shape.C * Stride)
            {
                for (var c = 0; c < Shape.C; c++)
                    partial[c] = 0f + source[c];
                for (var c = Shape.C; c < lanes; c++)
                    partial[c] = 0f;
                sums[pixel] = Fold(partial, lanes);
            }
        }

        /// <summary>A pixel's 16 lanes, folded to 4.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private readonly Vector128<float> Quarter(float* source)
        {
            Vector128<float> a = default, b = default, c = default, d = default;
            for (var end = source + Shape.C; source < end; source += Lanes)
            {
                a += Vector128.Load(source);
                b += Vector128.Load(source + 4);
                c += Vector128.Load(source + 8);
                d += Vector128.Load(source + 12);
            }

            return (a + c) + (b + d);
        }

        /// <summary>Four pixels' sums, from their 4 lanes.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector128<float> Fold(Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d)
        {
            // Lanes 0 and 1 plus lanes 2 and 3: of a and b, then of c and d.
            var ab = Sse.MoveLowToHigh(a, b) + Sse.MoveHighToLow(b, a);
            var cd = Sse.MoveLowToHigh(c, d) + Sse.MoveHighToLow(d, c);
            return Sse.Shuffle(ab, cd, 0b10_00_10_00) + Sse.Shuffle(ab, cd, 0b11_01_11_01);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static float Fold(float* partial, int lanes)
        {
            if (lanes == Lanes && Vector128.IsHardwareAccelerated)
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
