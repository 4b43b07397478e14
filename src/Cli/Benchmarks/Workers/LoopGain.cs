using AdderNet.Core.Kernels;

namespace AdderNet.Cli.Benchmarks.Workers;

/// <summary>
/// How much more a loop that touches no memory gets done on several cores than on one: what these cores gain for a program
/// that shares nothing.
/// </summary>
internal sealed class LoopGain(TimeProvider clock)
{
    /// <summary>Runs of the loop in one sample, a few hundred milliseconds.</summary>
    private const int Runs = 800;
    private readonly Dictionary<int, List<double>> seconds = [];

    /// <summary>Takes a sample: the loop on so many threads at once, the same work on each.</summary>
    public void Sample(int threads)
    {
        if (!seconds.TryGetValue(threads, out var samples))
            seconds[threads] = samples = [];
        var loops = Enumerable.Range(0, threads).Select(_ => RegisterLoop.FusedMultiplyAdd(VectorKernels.Widest)).ToList();
        using var start = new Barrier(threads + 1);
        var workers = loops.Select(loop => new Thread(() => Repeat(loop, start))).ToList();
        workers.ForEach(worker => worker.Start());
        start.SignalAndWait();
        var began = clock.GetTimestamp();
        workers.ForEach(worker => worker.Join());
        samples.Add(clock.GetElapsedTime(began).TotalSeconds);
    }

    /// <summary>Work done in a time on so many threads over that on one, of medians.</summary>
    public double Of(int threads) => threads * Timing.MedianOf(seconds[1]) / Timing.MedianOf(seconds[threads]);

    private static void Repeat(RegisterLoop loop, Barrier start)
    {
        start.SignalAndWait();
        for (var i = 0; i < Runs; i++)
            loop.Run();
    }
}
