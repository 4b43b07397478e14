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

    /// <summary>Why the member is lost, or null while its lease lives.</summary>
    /// <param name="member">Whom to judge.</param>
    /// <param name="lease">elastic.lease_ms.</param>
    /// <param name="now">The present.</param>
    public static string? Expired(MemberState member, TimeSpan lease, TimeSpan now)
    {
        if (member.ClosedAt is { } closed && now - closed >= ReopenGrace)
            return $"its session stream closed and was not reopened within {ReopenGrace.TotalMilliseconds:0} ms";
        return now - member.LastHeard >= lease
            ? $"nothing was heard from it for {(now - member.LastHeard).TotalMilliseconds:0} ms (elastic.lease_ms: {lease.TotalMilliseconds:0})"
            : null;
    }

    /// <summary>How long a member that owes an answer may go without progress.</summary>
    public static TimeSpan ComputeDeadline(MemberState member, TimeSpan lease, bool computing)
    {
        if (!computing || member.SlowestShard <= 0)
            return PatienceWithoutMeasure;
        var tenShards = TimeSpan.FromSeconds(10 * member.SlowestShard);
        return tenShards > lease ? tenShards : lease;
    }

    /// <summary>
    /// Of the members that owe an answer, the one to give up for lack of progress, or null. Only the one that stands
    /// still the longest is given up at a time: the others may be waiting for it.
    /// </summary>
    public static (MemberState Member, string Why)? Hung(
        IEnumerable<MemberState> owing, TimeSpan lease, bool computing, TimeSpan phaseStart, TimeSpan now)
    {
        (MemberState Member, TimeSpan Since)? worst = null;
        foreach (var member in owing.Where(m => !m.Waits))
        {
            var since = member.ProgressAt > phaseStart ? member.ProgressAt : phaseStart;
            if (now - since >= ComputeDeadline(member, lease, computing) && (worst is null || since < worst.Value.Since))
                worst = (member, since);
        }

        return worst is { } found
            ? (found.Member, $"it made no progress for {(now - found.Since).TotalSeconds:0.0} s")
            : null;
    }
}
