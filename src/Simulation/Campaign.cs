using AdderNet.Simulation.Faults;

namespace AdderNet.Simulation;

/// <summary>What became of many seeds.</summary>
/// <param name="Played">Seeds played.</param>
/// <param name="Failed">Those at which an invariant did not hold, lowest first.</param>
/// <param name="Struck">Faults that struck, in all.</param>
/// <param name="Events">Events in all.</param>
/// <param name="Commits">Steps committed in all, those redone included.</param>
/// <param name="Redone">Steps committed again.</param>
/// <param name="Generations">Generations made.</param>
/// <param name="VirtualTime">Time of all runs together, in their own clocks.</param>
internal sealed record CampaignResult(
    long Played, IReadOnlyList<SeedResult> Failed, FaultLog Struck, long Events, long Commits, long Redone, long Generations, TimeSpan VirtualTime);

/// <summary>Plays many seeds, several at a time; each is a world of its own.</summary>
internal static class Campaign
{
    /// <summary>Failures after which nothing more is learnt.</summary>
    private const int MostFailures = 10;

    /// <param name="first">First seed.</param>
    /// <param name="count">How many.</param>
    /// <param name="threads">Seeds played at a time.</param>
    /// <param name="stopAtFirst">Ends with the first failure.</param>
    /// <param name="progress">Called now and then with the number of seeds played.</param>
    /// <param name="failure">Called with each seed that fails, when it does.</param>
    /// <param name="cancellation">Ends the campaign early.</param>
    public static CampaignResult Run(
        long first, long count, int threads, bool stopAtFirst, Action<long>? progress, Action<SeedResult>? failure, CancellationToken cancellation)
    {
        var gate = new Lock();
        var struck = new FaultLog();
        var failed = new List<SeedResult>();
        var (played, events, commits, redone, generations, time) = (0L, 0L, 0L, 0L, 0L, TimeSpan.Zero);
        var next = first - 1;
        var enough = stopAtFirst ? 1 : MostFailures;
        Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, _ =>
        {
            while (!cancellation.IsCancellationRequested && Volatile.Read(ref next) < first + count - 1)
            {
                var seed = Interlocked.Increment(ref next);
                if (seed > first + count - 1)
                    return;
                var result = SeedPlay.Run(seed, tell: false);
                lock (gate)
                {
                    played++;
                    events += result.Events;
                    commits += result.Commits;
                    redone += result.Redone;
                    generations += result.Generations;
                    time += result.VirtualTime;
                    struck.Add(result.Struck);
                    if (result.Violation is not null)
                    {
                        failed.Add(result);
                        failure?.Invoke(result);
                    }

                    if (played % 100 == 0)
                        progress?.Invoke(played);
                    if (failed.Count >= enough)
                        return;
                }
            }
        });
        return new CampaignResult(played, [.. failed.OrderBy(f => f.Seed)], struck, events, commits, redone, generations, time);
    }
}
