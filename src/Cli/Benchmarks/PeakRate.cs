using AdderNet.Core.Kernels;

namespace AdderNet.Cli.Benchmarks;

/// <summary>
/// Fused multiply-adds a second: the rate that bounds are stated in, and, of several threads over that of one, what their cores gain for a
/// program that shares nothing.
/// </summary>
internal static class PeakRate
{
    private const int Rounds = 25;

    /// <summary>Lane-elements a second at the widest vectors of this process, of so many threads together. Takes a few hundred milliseconds.</summary>
    public static double Measure(int count, TimeProvider clock, CancellationToken cancellation)
    {
        using var threads = new ComputeThreads(count);
        var loop = RegisterLoop.FusedMultiplyAdd(VectorKernels.Widest);
        var timer = new InterleavedTimer(clock, Rounds, TimeSpan.FromMilliseconds(4));
        return threads.Count * loop.Elements / timer.Measure([loop.OnEach(threads)], cancellation)[0].Median;
    }
}
