using AdderNet.Core.Kernels;

namespace AdderNet.Cli.Benchmarks;

/// <summary>Lane-elements a second that loops on registers pass on one core.</summary>
/// <param name="Product">Fused multiply-adds.</param>
/// <param name="Adder">Terms of an adder layer's forward pass.</param>
/// <param name="Clamp">Terms of its input gradient.</param>
internal readonly record struct LoopRates(double Product, double Adder, double Clamp);

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

    /// <summary>The rates of all loops, taken in turn. Takes a few hundred milliseconds.</summary>
    public static LoopRates MeasureLoops(TimeProvider clock, CancellationToken cancellation)
    {
        var loops = RegisterLoop.All(VectorKernels.Widest);
        var timings = new InterleavedTimer(clock, Rounds, TimeSpan.FromMilliseconds(4)).Measure([.. loops.Select(loop => loop.Run)], cancellation);
        double[] rates = [.. loops.Select((loop, i) => loop.Elements / timings[i].Median)];
        return new LoopRates(rates[0], rates[1], rates[2]);
    }
}
