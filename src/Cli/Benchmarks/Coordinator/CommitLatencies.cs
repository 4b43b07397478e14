using System.Collections.Concurrent;

namespace AdderNet.Cli.Benchmarks.Coordinator;

/// <summary>How long commits take: from the moment that the last worker sends its vote to each worker's reading of the commit.</summary>
internal sealed class CommitLatencies(TimeProvider clock)
{
    /// <summary>Buckets of a tenth of a millisecond; the last one takes all that is longer.</summary>
    private const int Buckets = 100_000;

    private readonly ConcurrentDictionary<(string Run, ulong Step), StrongTime> lastVotes = new();
    private readonly long[] counts = new long[Buckets];
    private long steps;

    private sealed class StrongTime
    {
        public long Value;
    }

    /// <summary>Steps of which the first commit was read.</summary>
    public long Steps => Interlocked.Read(ref steps);

    /// <summary>A worker is about to send its vote.</summary>
    public void Voting(string run, ulong step) =>
        Volatile.Write(ref lastVotes.GetOrAdd((run, step), static _ => new StrongTime()).Value, clock.GetTimestamp());

    /// <summary>A worker has read a commit.</summary>
    public void Committed(string run, ulong step)
    {
        if (!lastVotes.TryGetValue((run, step), out var vote))
            return;
        var tenths = clock.GetElapsedTime(Volatile.Read(ref vote.Value)).TotalMilliseconds * 10;
        Interlocked.Increment(ref counts[Math.Clamp((int)tenths, 0, Buckets - 1)]);
        // Nobody votes for a step two behind a commit any more.
        if (lastVotes.TryRemove((run, step - 2), out _))
            Interlocked.Increment(ref steps);
    }

    /// <summary>The counts so far, for differences between two moments.</summary>
    public long[] Snapshot() => [.. counts];

    /// <summary>Milliseconds that a fraction of the commits between two snapshots did not exceed; NaN without any.</summary>
    public static double Percentile(long[] before, long[] after, double fraction)
    {
        var left = fraction * Count(before, after);
        for (var bucket = 0; bucket < after.Length; bucket++)
        {
            left -= after[bucket] - before[bucket];
            if (left <= 0 && after[bucket] > before[bucket])
                return (bucket + 1) / 10.0;
        }

        return double.NaN;
    }

    /// <summary>Commits read between two snapshots.</summary>
    public static long Count(long[] before, long[] after) => after.Sum() - before.Sum();
}
