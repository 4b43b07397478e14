namespace AdderNet.Coordinator.RunLogic;

/// <summary>
/// A phase that failed is tried again in a new generation: a bounded number of times, or, where links between members broke,
/// for a bounded time, without a member that others keep failing to reach.
/// </summary>
internal static class Retrying
{
    /// <summary>Phases that failed for no broken link, without a commit between them, after which the run fails.</summary>
    public const int FailuresAllowed = 5;

    /// <summary>A network whose links go on breaking may stop a run for so long before it fails: what breaks by itself may heal by itself.</summary>
    public static readonly TimeSpan PatienceWithLinks = TimeSpan.FromMinutes(10);

    /// <summary>A member that was named so often as the peer at fault is given up.</summary>
    public const int BlamesAllowed = 2;

    private static readonly TimeSpan FirstBackOff = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestBackOff = TimeSpan.FromSeconds(5);

    /// <summary>A member could not finish a phase: the same members try again in a new generation, a bounded number of times.</summary>
    public static void Failed(Turn turn, MemberState member, PhaseFailed failed)
    {
        var what = $"{member.WorkerId} could not finish {failed.Phase} at step {failed.Step}{(failed.Peer.Length == 0 ? "" : $" with {failed.Peer}")}: {failed.Why}";
        if (turn.Generation.Find(member.WorkerId) is { Votes: false })
            Observers.StartOver(turn, member, what);
        else
            Again(turn, what, failed.Peer);
        if (failed.Phase == "position" && turn.Generation.Checkpoint.Length > 0)
            Checkpoints.Doubt(turn, turn.Generation.Checkpoint);
    }

    /// <summary>Tries again in a new generation; a member that others could not reach twice in a row is left out of it.</summary>
    public static void Again(Turn turn, string what, string peer)
    {
        turn.Note(NoteKind.Warning, what);
        var blames = peer.Length == 0 ? turn.State.Blames : turn.State.Blames.SetItem(peer, turn.State.Blames.GetValueOrDefault(peer) + 1);
        var failures = turn.State.FailuresInARow + 1;
        var since = turn.State.FailingSince ?? turn.Now;
        var unlinked = turn.State.UnlinkedFailures + (peer.Length == 0 ? 1 : 0);
        turn.State = turn.State with { FailuresInARow = failures, UnlinkedFailures = unlinked, FailingSince = since, Blames = blames };
        var unreachable = Unreachable(turn);
        if (unreachable is null && (unlinked > FailuresAllowed || (failures > FailuresAllowed && turn.Now - since > PatienceWithLinks)))
        {
            Endings.Fail(turn, $"{failures} phases in a row failed without a commit between them, in {(turn.Now - since).TotalSeconds:0} s; the last: {what}");
            return;
        }

        // Waiting a little gives the lease of a peer that died time to end, so that it is not listed again.
        var wait = FirstBackOff * Math.Pow(2, Math.Min(failures - 1, 10));
        wait = wait < LongestBackOff ? wait : LongestBackOff;
        turn.State = turn.State with { Phase = new Gathering(turn.Now, turn.Now + wait, what) };
        turn.Because(what);
        if (unreachable is not { } lost)
            return;
        turn.State = turn.State with { FailuresInARow = 0, UnlinkedFailures = 0, Blames = turn.State.Blames.Clear() };
        Membership.GiveUp(turn, lost, "other members cannot reach it");
    }

    /// <summary>
    /// The member most often named as the peer at fault, if that was twice and others are left that are as far; of equals the one
    /// that joined last. One that alone is so far is given up only where the run would fail instead.
    /// </summary>
    private static MemberState? Unreachable(Turn turn)
    {
        var state = turn.State;
        var worst = state.Blames
            .Where(b => b.Value >= BlamesAllowed && state.Members.ContainsKey(b.Key))
            .Select(b => (Member: state.Members[b.Key], Times: b.Value))
            .OrderByDescending(b => b.Times).ThenByDescending(b => b.Member.Joined)
            .FirstOrDefault();
        return worst.Member is { ClosedAt: null } member
            && state.Ready.Any(m => m != member && (m.AppliedStep >= member.AppliedStep || worst.Times > FailuresAllowed))
                ? member : null;
    }
}
