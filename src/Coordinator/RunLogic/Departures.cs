using System.Collections.Immutable;

namespace AdderNet.Coordinator.RunLogic;

/// <summary>
/// Members that asked to leave: released at a boundary, when others hold the state too or it is on disk, so that no step is
/// lost or redone.
/// </summary>
internal static class Departures
{
    public static void Ask(Turn turn, MemberState member, MemberLeaves leaves)
    {
        turn.Update(member with { Leaves = true, LeaveReason = leaves.Reason });
        if (turn.State.Phase is Paused)
            Boundary.Next(turn);
        else if (turn.State.Phase is Gathering)
            Generations.TryPropose(turn);
        else if (!IsVoter(turn.State, member.WorkerId))
            Release(turn, turn.State.Members[member.WorkerId]);
    }

    /// <summary>At a boundary: lets go whoever is not needed any more. True when someone went, which ends the generation.</summary>
    public static bool Settle(Turn turn)
    {
        var leaving = turn.State.Members.Values.Where(m => m.Leaves && IsVoter(turn.State, m.WorkerId)).OrderBy(m => m.Joined).ToImmutableArray();
        if (leaving.IsEmpty || MustSave(turn.State))
            return false;
        foreach (var member in leaving)
        {
            if (turn.State.Members.ContainsKey(member.WorkerId))
                Release(turn, member);
        }

        return true;
    }

    /// <summary>While the run waits for workers: those go whose state others hold or a checkpoint has.</summary>
    public static void SettleWaiting(Turn turn)
    {
        foreach (var member in turn.State.Members.Values.Where(m => m.Leaves).OrderBy(m => m.Joined).ToImmutableArray())
        {
            if (member.AppliedStep <= Saved(turn.State) || turn.State.Ready.Any(m => !m.Leaves && m.AppliedStep >= member.AppliedStep))
                Release(turn, member);
        }
    }

    /// <summary>All who hold the committed state want to go and it is not on disk: it is saved first.</summary>
    public static bool MustSave(RunState state) =>
        state.Generation is not null
        && state.Committed.Step > Saved(state)
        && !(state.FailedCheckpoints.TryGetValue(CheckpointKind.Periodic, out var failed) && failed == state.Committed.Step)
        && state.Members.Values.Any(m => m.Leaves)
        && state.Generation.Voters.Select(v => state.Members.GetValueOrDefault(v.WorkerId)).OfType<MemberState>().All(m => m.Leaves);

    private static long Saved(RunState state) => state.Newest(CheckpointKind.Periodic)?.Step ?? 0;

    private static bool IsVoter(RunState state, string worker) => state.Generation?.Find(worker) is { Votes: true };

    private static void Release(Turn turn, MemberState member)
    {
        turn.Do(new Send(member.WorkerId, member.Session, 0, 0, new ReleasedOrder($"{member.LeaveReason}; nothing is lost by it")));
        Membership.Remove(turn, member, $"left: {member.LeaveReason}");
    }
}
