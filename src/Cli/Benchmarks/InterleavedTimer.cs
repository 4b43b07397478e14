namespace AdderNet.Cli.Benchmarks;

/// <summary>
/// Times several things side by side: each round samples every one of them once, so that a machine that slows down, or a
/// neighbour that comes and goes, meets all alike and ratios of medians hold. Time during which the calling thread was ready but
/// had no core does not count; a sample during which another thread of this process waited for one is taken again.
/// </summary>
/// <param name="clock">Gives the time.</param>
/// <param name="rounds">Samples of each; at least 1.</param>
/// <param name="sample">Shortest time of a sample; quicker calls are repeated within one.</param>
internal sealed class InterleavedTimer(TimeProvider clock, int rounds, TimeSpan sample)
{
    /// <summary>Attempts that may be spent on an undisturbed sample; the least disturbed one counts.</summary>
    private const int Attempts = 4;

    /// <summary>Share of a sample that other threads may spend waiting for a core.</summary>
    private const double Disturbance = 0.01;

    /// <summary>Seconds of one call of each contender, in their order. Each is called twice beforehand, unmeasured.</summary>
    public IReadOnlyList<Timing> Measure(IReadOnlyList<Action> contenders, CancellationToken cancellation)
    {
        var calls = new int[contenders.Count];
        var seconds = new List<double>[contenders.Count];
        for (var i = 0; i < contenders.Count; i++)
        {
            contenders[i]();
            var once = Time(contenders[i], 1);
            calls[i] = Math.Max(1, (int)(sample.TotalSeconds / once));
            seconds[i] = new List<double>(rounds);
        }

        for (var round = 0; round < rounds; round++)
        {
            for (var i = 0; i < contenders.Count; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                seconds[i].Add(Sample(contenders[i], calls[i]));
            }
        }

        return [.. seconds.Select(samples => new Timing(samples))];
    }

    private double Sample(Action contender, int calls)
    {
        var (best, bestWait) = (double.NaN, double.PositiveInfinity);
        for (var attempt = 0; attempt < Attempts && bestWait > Disturbance; attempt++)
        {
            var (own, all) = (RunQueueWait.OfThisThread(), RunQueueWait.OfAllThreads());
            var time = Time(contender, calls);
            own = RunQueueWait.OfThisThread() - own;
            var others = Math.Max(RunQueueWait.OfAllThreads() - all - own, 0) / time;
            if (others < bestWait)
                (best, bestWait) = (Math.Max(time - own, 1e-9), others);
        }

        return best / calls;
    }

    private double Time(Action contender, int calls)
    {
        var start = clock.GetTimestamp();
        for (var call = 0; call < calls; call++)
            contender();
        return Math.Max(clock.GetElapsedTime(start).TotalSeconds, 1e-9);
    }
}
