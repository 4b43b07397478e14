using System.Runtime.CompilerServices;

namespace AdderNet.Core.Kernels;

/// <summary>Brings canonical filters [T, C, kh, kw] into the orders in which tiles stream them.</summary>
internal static unsafe class FilterPacking
{
    /// <summary>
    /// For forward passes: panel by panel of filters, [term][lane], terms over (tap, channel); filling lanes are 0.
    /// Where <paramref name="sums"/> is given it receives each filter's sum over terms in order.
    /// </summary>
    public static float* ByFilter<TOps, TVector>(ConvolutionPlan plan, float* filters, float* sums, ComputeThreads threads)
        where TOps : struct, IVectorOps<TVector>
        where TVector : unmanaged
    {
        var shape = plan.Shape;
        var split = new PanelSplit(shape.T, TOps.Width, TOps.TileVectors);
        var packed = threads.Workspace.Take<float>(WorkspaceSlot.PackedFilters, (long)split.PaddedColumns * shape.FilterElements);
        threads.Split(split.Count, new ByFilterJob<TOps, TVector> { Shape = shape, TermOrder = Pinned.Address(plan.TermOrder), Filters = filters, Packed = packed, Sums = sums });
        return packed;
    }

    /// <summary>For input gradients: panel by panel of channels, [term][lane], terms over (tap, filter); filling lanes are 0.</summary>
    public static float* ByChannel<TOps, TVector>(in ConvolutionShape shape, float* filters, ComputeThreads threads)
        where TOps : struct, IVectorOps<TVector>
        where TVector : unmanaged
    {
        var split = new PanelSplit(shape.C, TOps.Width, TOps.TileVectors);
        var terms = (long)shape.KernelHeight * shape.KernelWidth * shape.T;
        var packed = threads.Workspace.Take<float>(WorkspaceSlot.PackedFilters, split.PaddedColumns * terms);
        threads.Split(split.Count, new ByChannelJob<TOps, TVector> { Shape = shape, Filters = filters, Packed = packed });
        return packed;
    }

    private struct ByFilterJob<TOps, TVector> : ISplitJob
        where TOps : struct, IVectorOps<TVector>
        where TVector : unmanaged
    {
        public ConvolutionShape Shape;
        public int* TermOrder;
        public float* Filters;
        public float* Packed;
        public float* Sums;

        public readonly void Run(int first, int end)
        {
            var split = new PanelSplit(Shape.T, TOps.Width, TOps.TileVectors);
            for (var index = first; index < end; index++)
            {
                var panel = split[index];
                var width = panel.Vectors * TOps.Width;
                var destination = Packed + (long)panel.First * Shape.FilterElements;
                var filters = Math.Min(width, Shape.T - panel.First);
                if (filters < width)
                    new Span<float>(destination, width * Shape.FilterElements).Clear();
                BlockTranspose.Run(Filters + (long)panel.First * Shape.FilterElements, Shape.FilterElements, filters, Shape.FilterElements, destination, width, TermOrder);

                if (Sums != null)
                    Sum(destination, width, Sums + panel.First);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Sum(float* panel, int width, float* sums)
        {
            for (var lane = 0; lane < width; lane += TOps.Width)
            {
                var sum = TOps.Broadcast(0f);
                for (var term = 0; term < Shape.FilterElements; term++)
                    sum = TOps.Add(sum, TOps.Load(panel + (long)term * width + lane));
                TOps.Store(sums + lane, sum);
            }
        }
    }

    private struct ByChannelJob<TOps, TVector> : ISplitJob
        where TOps : struct, IVectorOps<TVector>
        where TVector : unmanaged
    {
        public ConvolutionShape Shape;
        public float* Filters;
        public float* Packed;

        public readonly void Run(int first, int end)
        {
            var split = new PanelSplit(Shape.C, TOps.Width, TOps.TileVectors);
            var taps = Shape.KernelHeight * Shape.KernelWidth;
            for (var index = first; index < end; index++)
            {
                var panel = split[index];
                var width = panel.Vectors * TOps.Width;
                var destination = Packed + (long)panel.First * taps * Shape.T;
                var channels = Math.Min(width, Shape.C - panel.First);
                if (channels < width)
                    new Span<float>(destination, width * taps * Shape.T).Clear();
                for (var t = 0; t < Shape.T; t++)
                {
                    var source = Filters + (long)t * Shape.FilterElements + panel.First * taps;
                    if (taps == 1)
                        new ReadOnlySpan<float>(source, channels).CopyTo(new Span<float>(destination + (long)t * width, channels));
                    else
                        BlockTranspose.Run(source, taps, channels, taps, destination + (long)t * width, (nint)Shape.T * width);
                }
            }
        }
    }
}
