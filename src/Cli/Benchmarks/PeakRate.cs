using AdderNet.Core.Kernels;

namespace AdderNet.Cli.Benchmarks;

/// <summary>Fused multiply-adds a second: the rate that bounds are stated in.</summary>
internal static class PeakRate
{
    private const int Rounds = 25;

    /// <summary>Lane-elements a second of one core at the widest vectors of this process. Takes a few hundred milliseconds.</summary>
    public static double Measure(TimeProvider clock, CancellationToken cancellation)
    {
        using var one = new ComputeThreads(1);
        return Measure(one, clock, cancellation);
    }

    /// <summary>Lane-elements a second of these threads together.</summary>
    public static double Measure(ComputeThreads threads, TimeProvider clock, CancellationToken cancellation)
    {
        var loop = RegisterLoop.FusedMultiplyAdd(VectorKernels.Widest);
        var timer = new InterleavedTimer(clock, Rounds, TimeSpan.FromMilliseconds(4));
        return threads.Count * loop.Elements / timer.Measure([loop.OnEach(threads)], cancellation)[0].Median;
    }
}
