using AdderNet.Core.Kernels;

namespace AdderNet.Cli.Benchmarks;

/// <summary>Fused multiply-adds a second of one core: the rate that bounds are stated in.</summary>
internal static class PeakRate
{
    private const int Rounds = 25;

    /// <summary>Lane-elements a second at the widest vectors of this process. Takes a few hundred milliseconds.</summary>
    public static double Measure(TimeProvider clock, CancellationToken cancellation)
    {
        var loop = RegisterLoop.FusedMultiplyAdd(VectorKernels.Widest);
        var timer = new InterleavedTimer(clock, Rounds, TimeSpan.FromMilliseconds(4));
        return loop.Elements / timer.Measure([loop.Run], cancellation)[0].Median;
    }
}
