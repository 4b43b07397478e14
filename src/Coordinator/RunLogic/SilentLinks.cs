namespace AdderNet.Coordinator.RunLogic;

/// <summary>
/// Links that carry nothing between voters who both reach this coordinator. Each end says that nothing has come from the other
/// for a lease: then one of them is given up at once, and observes until it reaches all again. The word of one end alone
/// gives nobody up: that end, or the other, may only be busy.
/// </summary>
internal static class SilentLinks
{
    /// <summary>Gives up the voter with the most silent links; of equals the one that joined last.</summary>
    public static void Judge(Turn turn)
    {
        if (turn.State.Phase is not (Stepping or Positioning))
            return;
        var voters = turn.Generation.Voters.Select(v => turn.State.Members.GetValueOrDefault(v.WorkerId)).OfType<MemberState>().ToArray();
        var worst = voters
            .Select(m => (Member: m, Others: voters.Where(o => IsSilent(m, o)).ToArray()))
            .Where(l => l.Others.Length > 0 && voters.Any(o => o != l.Member && o.AppliedStep >= l.Member.AppliedStep))
            .OrderByDescending(l => l.Others.Length).ThenByDescending(l => l.Member.Joined)
            .FirstOrDefault();
        if (worst.Member is { } lost)
            Membership.GiveUp(turn, lost, $"nothing has passed between it and {string.Join(", ", worst.Others.Select(o => o.WorkerId))} for a lease (elastic.lease_ms: {turn.Plan.Lease.TotalMilliseconds:0})");
    }

    private static bool IsSilent(MemberState one, MemberState other) => one.Silent.Contains(other.WorkerId) && other.Silent.Contains(one.WorkerId);
}
