namespace AdderNet.Coordinator.RunLogic;

/// <summary>
/// Decides who is lost. A busy machine is not taken for dead (heartbeats run on their own thread) nor a hung one for
/// alive (heartbeats carry progress).
/// </summary>
internal static class Leases
{
    /// <summary>A session stream that closes may be reopened within this time.</summary>
    public static readonly TimeSpan ReopenGrace = TimeSpan.FromMilliseconds(500);

    /// <summary>Without a measured shard, or outside the computation, so long may pass without progress.</summary>
    public static readonly TimeSpan PatienceWithoutMeasure = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan LongestTick = TimeSpan.FromSeconds(1);

    /// <summary>When all who owe an answer only wait for one another, so long may pass without any progress, and at least four leases.</summary>
    public static readonly TimeSpan PatienceWithWaiting = TimeSpan.FromSeconds(10);

    /// <summary>Whether two ticks lie so far apart that the coordinator itself must have stood still: it could not hear anyone.</summary>
    public static bool StoodStill(TimeSpan gap, TimeSpan lease) => gap >= (lease / 2 < LongestTick ? lease / 2 : LongestTick);

    /// <summary>Why the member is lost, or null while its lease lives.</summary>
    /// <param name="member">Whom to judge.</param>
    /// <param name="isOnlyHolder">Nobody else has the committed step: a stream that closed is no proof of death, and it is waited for as long as its lease lives.</param>
    /// <param name="lease">elastic.lease_ms.</param>
    /// <param name="now">The present.</param>
    public static string? Expired(MemberState member, bool isOnlyHolder, TimeSpan lease, TimeSpan now)
    {
        if (!isOnlyHolder && member.ClosedAt is { } closed && now - closed >= ReopenGrace)
            return $"its session stream closed and was not reopened within {ReopenGrace.TotalMilliseconds:0} ms";
        return now - member.LastHeard >= lease
            ? $"nothing was heard from it for {(now - member.LastHeard).TotalMilliseconds:0} ms (elastic.lease_ms: {lease.TotalMilliseconds:0})"
            : null;
    }

    /// <summary>How long a member that owes an answer may go without progress.</summary>
    /// <param name="member">Whom to judge.</param>
    /// <param name="lease">elastic.lease_ms.</param>
    /// <param name="scale">What it finishes between two signs of progress, in shards; null: it does not compute.</param>
    public static TimeSpan ComputeDeadline(MemberState member, TimeSpan lease, double? scale)
    {
        if (scale is not { } shards || member.SlowestShard <= 0)
            return PatienceWithoutMeasure;
        var tenfold = TimeSpan.FromSeconds(10 * shards * member.SlowestShard);
        return tenfold > lease ? tenfold : lease;
    }

    /// <summary>
    /// Of the members that owe an answer, the one to give up for lack of progress, or null. Only the one that stands
    /// still the longest is given up at a time: the others may be waiting for it.
    /// </summary>
    public static (MemberState Member, string Why)? Hung(
        IEnumerable<MemberState> owing, TimeSpan lease, double? scale, TimeSpan phaseStart, TimeSpan now)
    {
        (MemberState Member, TimeSpan Since)? worst = null;
        foreach (var member in owing.Where(m => !m.Waits))
        {
            var since = member.ProgressAt > phaseStart ? member.ProgressAt : phaseStart;
            if (now - since >= ComputeDeadline(member, lease, scale) && (worst is null || since < worst.Value.Since))
                worst = (member, since);
        }

        return worst is { } found
            ? (found.Member, $"it made no progress for {(now - found.Since).TotalSeconds:0.0} s")
            : null;
    }

    /// <summary>
    /// Why a phase must be tried again though everyone is alive: all who owe an answer wait for one another or for orders, and
    /// nothing has moved for long. Something between them was lost. Null: there is no such reason.
    /// </summary>
    public static string? Stalled(IReadOnlyCollection<MemberState> owing, TimeSpan lease, TimeSpan phaseStart, TimeSpan now)
    {
        if (owing.Count == 0 || owing.Any(m => !m.Waits))
            return null;
        var patience = 4 * lease > PatienceWithWaiting ? 4 * lease : PatienceWithWaiting;
        var moved = owing.Max(m => m.ProgressAt);
        var since = moved > phaseStart ? moved : phaseStart;
        return now - since < patience
            ? null
            : $"{string.Join(", ", owing.Select(m => m.WorkerId))} only wait, and nothing has moved for {(now - since).TotalSeconds:0.0} s";
    }
}
