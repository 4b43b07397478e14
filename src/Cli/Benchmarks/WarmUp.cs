namespace AdderNet.Cli.Benchmarks;

/// <summary>
/// Rounds that do not count: until the just-in-time compiler rests, which compiles what runs often once more, for some ten seconds, on the very
/// cores that are measured. What trains for days is measured as it is after that.
/// </summary>
/// <param name="clock">Tells how long it lasts.</param>
/// <param name="longest">It ends after this even when the compiler does not rest.</param>
internal sealed class WarmUp(TimeProvider clock, TimeSpan longest)
{
    /// <summary>What a benchmark grants where its user says nothing.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    /// <summary>Of one core.</summary>
    private const double Resting = 0.01;
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(3);

    private readonly long began = clock.GetTimestamp();
    private readonly Queue<(long At, TimeSpan Compiling)> samples = [];

    /// <summary>Whether another round is due; asked before each.</summary>
    /// <param name="compiling">Time that the compilers of all processes measured have worked so far (<see cref="System.Runtime.JitInfo"/>).</param>
    public bool Goes(TimeSpan compiling)
    {
        var now = clock.GetTimestamp();
        samples.Enqueue((now, compiling));
        while (samples.Count > 1 && clock.GetElapsedTime(samples.ElementAt(1).At, now) >= Window)
            samples.Dequeue();
        var (since, then) = samples.Peek();
        var elapsed = clock.GetElapsedTime(since, now);
        var rests = elapsed >= Window && (compiling - then) < elapsed * Resting;
        return !rests && clock.GetElapsedTime(began, now) < longest;
    }
}
