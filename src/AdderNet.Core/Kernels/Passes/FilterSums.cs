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
    /// <summary>Vectors that are summed side by side.</summary>
    private const int Together = 4;

    /// <summary>For each class of output positions [padded filters], from filters packed by <see cref="FilterPacking{TOps, TVector}.ByFilter"/>.</summary>
    public static float* Prepare(ConvolutionPlan plan, float* packed, ComputeThreads threads)
    {
        var shape = plan.Shape;
        var split = new PanelSplit(shape.T, TOps.Width, 1);
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
        }, Math.Max(Together, ComputeThreads.GrainOf((long)TOps.Width * shape.FilterElements)));
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
            nint panel = (nint)Taps * Channels * TOps.Width;
            for (var t = first; t < end;)
            {
                // Each sum waits for the one before; four vectors at a time do not.
                if (t + Together <= end)
                {
                    SumFour(Packed + t * panel, panel, t * TOps.Width);
                    t += Together;
                }
                else
                {
                    SumOne(Packed + t * panel, t * TOps.Width);
                    t++;
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void SumFour(float* filter, nint panel, int t)
        {
            nint lanes = TOps.Width;
            var zero = TOps.Broadcast(0f);
            TVector total0 = zero, total1 = zero, total2 = zero, total3 = zero;
            for (var tap = 0; tap < Taps; tap++)
            {
                TVector positive0 = zero, positive1 = zero, positive2 = zero, positive3 = zero;
                for (var c = 0; c < Channels; c++, filter += TOps.Width)
                {
                    var value0 = TOps.Load(filter);
                    var value1 = TOps.Load(filter + panel);
                    var value2 = TOps.Load(filter + 2 * panel);
                    var value3 = TOps.Load(filter + 3 * panel);
                    total0 = TOps.Add(total0, value0);
                    total1 = TOps.Add(total1, value1);
                    total2 = TOps.Add(total2, value2);
                    total3 = TOps.Add(total3, value3);
                    positive0 = TOps.Add(positive0, TOps.Max(zero, value0));
                    positive1 = TOps.Add(positive1, TOps.Max(zero, value1));
                    positive2 = TOps.Add(positive2, TOps.Max(zero, value2));
                    positive3 = TOps.Add(positive3, TOps.Max(zero, value3));
                }

                var sums = TapSums + (long)tap * Split.PaddedColumns + t;
                TOps.Store(sums, positive0);
                TOps.Store(sums + lanes, positive1);
                TOps.Store(sums + 2 * lanes, positive2);
                TOps.Store(sums + 3 * lanes, positive3);
            }

            Finish(total0, t);
            Finish(total1, t + (int)lanes);
            Finish(total2, t + 2 * (int)lanes);
            Finish(total3, t + 3 * (int)lanes);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void SumOne(float* filter, int t)
        {
            var zero = TOps.Broadcast(0f);
            var total = zero;
            for (var tap = 0; tap < Taps; tap++)
            {
                var positive = zero;
                for (var c = 0; c < Channels; c++, filter += TOps.Width)
                {
                    var value = TOps.Load(filter);
                    total = TOps.Add(total, value);
                    positive = TOps.Add(positive, TOps.Max(zero, value));
                }

                TOps.Store(TapSums + (long)tap * Split.PaddedColumns + t, positive);
            }

            Finish(total, t);
        }

        /// <summary>The sums of a vector of filters for each class of positions.</summary>
        private readonly void Finish(TVector total, int t)
        {
            var zero = TOps.Broadcast(0f);
            var minusTwo = TOps.Broadcast(-2f);
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
