namespace AdderNet.Cli.Benchmarks.Coordinator;

/// <summary>When simulated workers are done computing: on a common beat, each a little off it, as machines of one kind are.</summary>
/// <param name="stepsPerSecond">Beats a second.</param>
/// <param name="clock">The clock.</param>
internal sealed class StepBeat(double stepsPerSecond, TimeProvider clock)
{
    /// <summary>The slowest worker is behind the fastest by this part of a step.</summary>
    private const double Spread = 0.1;

    private const int Places = 97;

    private readonly TimeSpan period = TimeSpan.FromSeconds(1 / stepsPerSecond);
    private readonly long start = clock.GetTimestamp();

    /// <summary>Waits for the first beat that this worker has not passed yet.</summary>
    public async Task ComputedAsync(int place, CancellationToken cancellation)
    {
        var now = clock.GetElapsedTime(start);
        var offset = period * (Spread * (place * 31 % Places) / Places);
        var due = offset + (Math.Floor((now - offset) / period) + 1) * period;
        await Task.Delay(due - now, clock, cancellation).ConfigureAwait(false);
    }
}
