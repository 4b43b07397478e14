using System.Runtime.CompilerServices;

namespace AdderNet.Core.Kernels;

/// <summary>Brings canonical filters [T, C, kh, kw] into the orders in which tiles stream them.</summary>
internal static unsafe class FilterPacking<TOps, TVector>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
{
    /// <summary>For forward passes: panel by panel of filters, [term][lane], terms over (tap, channel); filling lanes are 0.</summary>
    public static float* ByFilter(ConvolutionPlan plan, float* filters, ComputeThreads threads)
    {
        var shape = plan.Shape;
        var split = new PanelSplit(shape.T, TOps.Width, 1);
        var packed = threads.Workspace.Take<float>(WorkspaceSlot.PackedFilters, (long)split.PaddedColumns * shape.FilterElements);
        threads.Split(
            split.PaddedColumns / TOps.Width,
            new ByFilterJob { Shape = shape, Split = split, TermOrder = Pinned.Address(plan.TermOrder), Filters = filters, Packed = packed },
            ComputeThreads.GrainOf((long)TOps.Width * shape.FilterElements));
        return packed;
    }

    /// <summary>For input gradients: panel by panel of channels, [term][lane], terms over (tap rank, filter); filling lanes are 0.</summary>
    public static float* ByChannel(ConvolutionPlan plan, float* filters, ComputeThreads threads)
    {
        var shape = plan.Shape;
        var split = new PanelSplit(shape.C, TOps.Width, TOps.TileVectors);
        var packed = threads.Workspace.Take<float>(WorkspaceSlot.PackedFilters, (long)split.PaddedColumns * shape.KernelHeight * shape.KernelWidth * shape.T);
        threads.Split(
            shape.T,
            new ByChannelJob { Shape = shape, Split = split, TapRanks = Pinned.Address(plan.TapRanks), Filters = filters, Packed = packed },
            ComputeThreads.GrainOf(shape.FilterElements));
        return packed;
    }

    private struct ByFilterJob : ISplitJob
    {
        public ConvolutionShape Shape;
        public PanelSplit Split;
        public int* TermOrder;
        public float* Filters;
        public float* Packed;

        /// <summary>An item is a vector of filters.</summary>
        public readonly void Run(int first, int end)
        {
            for (var index = 0; index < Split.Count; index++)
            {
                var panel = Split[index];
                var width = panel.Vectors * TOps.Width;
                for (var t = Math.Max(first * TOps.Width, panel.First); t < Math.Min(end * TOps.Width, panel.First + width); t += TOps.Width)
                {
                    var destination = Packed + (long)panel.First * Shape.FilterElements + t - panel.First;
                    var filters = Math.Min(TOps.Width, Shape.T - t);
                    for (var term = 0; filters < TOps.Width && term < Shape.FilterElements; term++)
                        TOps.Store(destination + (long)term * width, TOps.Broadcast(0f));
                    BlockTranspose.Run(Filters + (long)t * Shape.FilterElements, Shape.FilterElements, filters, Shape.FilterElements, destination, width, TermOrder);
                }
            }
        }
    }

    private struct ByChannelJob : ISplitJob
    {
        public ConvolutionShape Shape;
        public PanelSplit Split;
        public int* TapRanks;
        public float* Filters;
        public float* Packed;

        /// <summary>An item is a filter.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int first, int end)
        {
            var taps = Shape.KernelHeight * Shape.KernelWidth;
            for (var t = first; taps == 1 && t < end; t++)
                CopyChannels(t);
            for (var index = 0; taps > 1 && index < Split.Count; index++)
            {
                var panel = Split[index];
                var width = panel.Vectors * TOps.Width;
                var channels = Math.Min(width, Shape.C - panel.First);
                for (var t = first; t < end; t++)
                {
                    var source = Filters + (long)t * Shape.FilterElements + panel.First * taps;
                    var destination = Packed + (long)panel.First * taps * Shape.T + (long)t * width;
                    for (var tap = 0; channels < width && tap < taps; tap++)
                        new Span<float>(destination + (long)tap * Shape.T * width, width).Clear();
                    BlockTranspose.Run(source, taps, channels, taps, destination, (nint)Shape.T * width, TapRanks);
                }
            }
        }

        /// <summary>A filter of one tap.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void CopyChannels(int t)
        {
            var source = Filters + (long)t * Shape.C;
            for (var index = 0; index < Split.Count; index++)
            {
                var panel = Split[index];
                nint width = panel.Vectors * TOps.Width;
                var destination = Packed + (long)panel.First * Shape.T + t * width;
                for (nint lane = 0; lane < width; lane += TOps.Width)
                {
                    var left = Shape.C - panel.First - (int)lane;
                    TOps.Store(destination + lane, left >= TOps.Width ? TOps.Load(source + panel.First + lane) : TOps.LoadPart(source + panel.First + lane, left));
                }
            }
        }
    }
}
