namespace AdderNet.Cli.Training;

/// <summary>What is remembered of a place in the fleet (the coordinator, or the n-th worker) whose process has died.</summary>
/// <param name="DeathsInARow">Deaths since the run last committed a step.</param>
/// <param name="StepAtLastDeath">Committed step when it last died.</param>
internal sealed record RestartHistory(int DeathsInARow, ulong StepAtLastDeath)
{
    public static RestartHistory None { get; } = new(0, 0);
}

/// <summary>What becomes of a dead process.</summary>
/// <param name="Restart">A new process takes its place after <paramref name="Delay"/>.</param>
/// <param name="Delay">Time to wait first.</param>
/// <param name="Reason">The decision in words.</param>
internal sealed record RestartDecision(bool Restart, TimeSpan Delay, string Reason);

/// <summary>
/// Whether a dead process is started again. The first death is answered at once, further ones ever more slowly; after
/// <see cref="MostDeathsInARow"/> deaths without a committed step between them it is not the machines' fault, and nothing is started.
/// </summary>
internal static class RestartPolicy
{
    public const int MostDeathsInARow = 5;

    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(5);

    /// <param name="history">What happened in this place so far.</param>
    /// <param name="name">The process in words, such as <c>worker w2</c>.</param>
    /// <param name="exitCode">Its exit status (128 + signal when a signal ended it).</param>
    /// <param name="committedStep">The run's newest committed step that is known.</param>
    /// <param name="allowed">False: `--no-replace`.</param>
    public static (RestartHistory History, RestartDecision Decision) Decide(
        RestartHistory history, string name, int exitCode, ulong committedStep, bool allowed)
    {
        var moved = committedStep > history.StepAtLastDeath;
        var deaths = moved || history.DeathsInARow == 0 ? 1 : history.DeathsInARow + 1;
        var next = new RestartHistory(deaths, committedStep);
        var died = $"{name} ended with status {exitCode} at step {committedStep}";
        if (!allowed)
            return (next, new(false, TimeSpan.Zero, $"{died}; not replaced (--no-replace)"));
        if (deaths >= MostDeathsInARow)
            return (next, new(false, TimeSpan.Zero, $"{died}; given up after {deaths} deaths without a committed step"));
        if (deaths == 1)
            return (next, new(true, TimeSpan.Zero, $"{died}; started again"));
        var delay = TimeSpan.FromTicks(Math.Min(FirstDelay.Ticks << (deaths - 2), LongestDelay.Ticks));
        return (next, new(true, delay, $"{died}; started again in {delay.TotalSeconds:0.##} s"));
    }
}
