using System.Collections.Immutable;
using AdderNet.Core.Sharding;

namespace AdderNet.Coordinator.RunLogic;

/// <summary>For how long moving shards would have paid.</summary>
/// <param name="Commits">Commits in a row after which other ranges would have been clearly faster.</param>
/// <param name="Since">When the first of them was.</param>
/// <param name="NotBefore">The first step at which ranges may move again.</param>
/// <param name="NotUntil">The first time at which they may.</param>
/// <param name="Moves">How often they have moved.</param>
internal sealed record Imbalance(int Commits, TimeSpan Since, long NotBefore, TimeSpan NotUntil, int Moves)
{
    public static Imbalance None { get; } = new(0, TimeSpan.Zero, 0, TimeSpan.Zero, 0);
}

/// <summary>
/// Moves shards from slow to fast members (<c>elastic.rebalance</c>) when the gain is clear and lasting. Who computes a shard
/// changes no bit, so the only price is a generation change.
/// </summary>
internal static class Rebalancing
{
    /// <summary>The slowest member must become faster by this fraction.</summary>
    public const double ClearGain = 0.15;

    /// <summary>And must have been so slow for so many commits.</summary>
    public const int LastingCommits = 12;

    /// <summary>And for so long: other programs make a machine slow for seconds.</summary>
    public static readonly TimeSpan LastingTime = TimeSpan.FromSeconds(10);

    /// <summary>After the first move ranges stay for so long, then twice as long each time: speeds that change all the time are not worth following.</summary>
    public static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(30);

    public static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(30);

    /// <summary>Ranges stay for at least so many steps.</summary>
    public const int LeastSteps = 60;

    /// <summary>Looks at the speeds measured up to this commit.</summary>
    public static Imbalance Observe(RunState state, TimeSpan now)
    {
        var before = state.Imbalance;
        return Gain(state) < ClearGain
            ? before with { Commits = 0 }
            : before with { Commits = before.Commits + 1, Since = before.Commits == 0 ? now : before.Since };
    }

    /// <summary>Why ranges move at this boundary; null: they stay.</summary>
    public static string? Due(Turn turn)
    {
        var (state, imbalance) = (turn.State, turn.State.Imbalance);
        if (imbalance.Commits < LastingCommits || turn.Now - imbalance.Since < LastingTime
            || state.Committed.Step < imbalance.NotBefore || turn.Now < imbalance.NotUntil)
            return null;
        var pause = FirstPause * Math.Pow(2, Math.Min(imbalance.Moves, 10));
        turn.State = state with
        {
            Imbalance = Restart(state) with { Moves = imbalance.Moves + 1, NotUntil = turn.Now + (pause < LongestPause ? pause : LongestPause) },
        };
        return $"shards move by measured speed: the slowest member becomes {Gain(state):P0} faster";
    }

    /// <summary>The gain is counted anew from here.</summary>
    public static Imbalance Restart(RunState state) => state.Imbalance with { Commits = 0, NotBefore = state.Committed.Step + LeastSteps };

    /// <summary>The fraction of the slowest member's computing time that the best ranges would save; 0 while a speed is not known.</summary>
    public static double Gain(RunState state)
    {
        if (state.Generation is not { } generation || !state.Plan.Description.Elastic.Rebalance)
            return 0;
        var voters = generation.Voters.ToImmutableArray();
        var times = voters.Select(v => state.Members.GetValueOrDefault(v.WorkerId)?.SecondsPerShard ?? 0).ToArray();
        if (voters.Length < 2 || voters.Zip(times).Any(v => v.First.Range.Count > 0 && !(v.Second > 0)))
            return 0;
        var computing = Math.Min(voters.Length, state.Plan.Description.Batch.Shards);
        if (times.Take(computing).Any(t => !(t > 0)))
            return 0;
        var now = Slowest(voters.Select(v => v.Range), times);

        // Even shards of any size could not gain more than this, and it costs nothing to know.
        var ideal = state.Plan.Description.Batch.Shards / times.Take(computing).Sum(t => 1 / t);
        if (!(now > 0) || 1 - ideal / now < ClearGain)
            return 0;
        var best = ShardAssignment.Cut(state.Plan.Description.Batch.Shards, times.Select(t => t > 0 ? 1 / t : 1).ToArray());
        return 1 - Slowest(best, times) / now;
    }

    private static double Slowest(IEnumerable<ShardRange> ranges, double[] times) => ranges.Zip(times, (range, time) => range.Count * time).Max();
}
