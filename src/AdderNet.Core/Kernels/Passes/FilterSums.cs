using System.Runtime.CompilerServices;

namespace AdderNet.Core.Kernels;

/// <summary>
/// What each filter adds to an adder layer's outputs whatever the input: the sum of its elements, and for positions at the
/// map's edges -2 max(0, f) of the taps that lie in the padding.
/// </summary>
internal static unsafe class FilterSums<TOps, TVector>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
{
    /// <summary>For each class of output positions [padded filters], from filters packed by <see cref="FilterPacking{TOps, TVector}.ByFilter"/>.</summary>
    public static float* Prepare(ConvolutionPlan plan, float* packed, ComputeThreads threads)
    {
        var shape = plan.Shape;
        var split = new PanelSplit(shape.T, TOps.Width, TOps.TileVectors);
        var taps = shape.KernelHeight * shape.KernelWidth;
        var sums = threads.Workspace.Take<float>(WorkspaceSlot.FilterSums, (long)plan.Outputs.Classes.Length * split.PaddedColumns);
        threads.Split(split.PaddedColumns / TOps.Width, new Job
        {
            Taps = taps,
            Channels = shape.C,
            Split = split,
            Classes = plan.Outputs.Classes.Length,
            AbsentTaps = Pinned.Address(plan.AbsentTaps),
            Packed = packed,
            TapSums = threads.Workspace.Take<float>(WorkspaceSlot.TapSums, (long)taps * split.PaddedColumns),
            Sums = sums,
        });
        return sums;
    }

    private struct Job : ISplitJob
    {
        public int Taps;
        public int Channels;
        public PanelSplit Split;
        public int Classes;
        public byte* AbsentTaps;
        public float* Packed;
        public float* TapSums;
        public float* Sums;

        /// <summary>An item is a vector of filters.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int first, int end)
        {
            for (var index = 0; index < Split.Count; index++)
            {
                var panel = Split[index];
                nint width = panel.Vectors * TOps.Width;
                for (var t = Math.Max(first * TOps.Width, panel.First); t < Math.Min(end * TOps.Width, panel.First + width); t += TOps.Width)
                    Sum(Packed + (long)panel.First * Taps * Channels + t - panel.First, width, t);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Sum(float* filter, nint width, int t)
        {
            var zero = TOps.Broadcast(0f);
            var minusTwo = TOps.Broadcast(-2f);
            var total = zero;
            for (var tap = 0; tap < Taps; tap++)
            {
                var positive = zero;
                for (var c = 0; c < Channels; c++, filter += width)
                {
                    var value = TOps.Load(filter);
                    total = TOps.Add(total, value);
                    positive = TOps.Add(positive, TOps.Max(zero, value));
                }

                TOps.Store(TapSums + (long)tap * Split.PaddedColumns + t, positive);
            }

            for (var positions = 0; positions < Classes; positions++)
            {
                var absent = zero;
                for (var tap = 0; tap < Taps; tap++)
                {
                    if (AbsentTaps[positions * Taps + tap] != 0)
                        absent = TOps.Add(absent, TOps.Load(TapSums + (long)tap * Split.PaddedColumns + t));
                }

                TOps.Store(Sums + (long)positions * Split.PaddedColumns + t, TOps.SubtractTwice(absent, minusTwo, total));
            }
        }
    }
}
