namespace AdderNet.Coordinator.RunLogic;

/// <summary>
/// Joining without stopping anyone: a worker that lacks the base is listed without a vote and with an empty range, follows
/// the others' steps, and is given a vote at the boundary whose step it holds.
/// </summary>
internal static class Observers
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(60);

    /// <summary>Why a new generation is due at this boundary, for someone who joins, has caught up, or starts over; null: none is.</summary>
    public static string? Due(Turn turn)
    {
        var state = turn.State;
        foreach (var member in state.Ready.Where(m => !m.Leaves).OrderBy(m => m.Joined))
        {
            var listed = turn.Generation.Find(member.WorkerId);
            if (listed is null)
                return $"{member.WorkerId} joins";
            if (listed.Votes)
                continue;
            if (Recovery.Follows(member, state.Committed))
                return $"{member.WorkerId} has caught up";
            if (member.StartsOverAt is { } at && turn.Now >= at)
                return $"{member.WorkerId} starts over";
        }

        return null;
    }

    /// <summary>An observer holds a step; all before it are applied, or about to be.</summary>
    public static void Followed(Turn turn, MemberState member, MemberFollows follows)
    {
        if (turn.Generation.Find(member.WorkerId) is not { Votes: false })
        {
            turn.Note(NoteKind.StaleMessage, $"{member.WorkerId} follows step {follows.Step}, but it is no observer");
            return;
        }

        // The step before was committed, or the observer could not hold this one.
        var report = member.Report ?? MemberReport.Fresh;
        var applied = Math.Max(report.AppliedStep, follows.Step - 1);
        turn.Update(member with
        {
            FollowedStep = follows.Step,
            FollowedHash = follows.Hash,
            FailedFollows = 0,
            Report = applied == report.AppliedStep ? report : new MemberReport(applied, 0, null, "", 0, 0),
        });
        if (turn.State.Phase is Paused)
            Boundary.Next(turn);
    }

    /// <summary>
    /// Before the run goes back behind its committed step: what an observer holds was inferred from what it followed, and it
    /// may be further, even where it has started over since. It reports once more; true when someone is waited for.
    /// </summary>
    public static bool AskAgain(Turn turn)
    {
        var asked = false;
        foreach (var member in turn.State.Ready.Where(m => m.MayBeFurther).OrderBy(m => m.Joined).ToArray())
        {
            turn.Update(member with { Report = null, FollowedStep = 0, WelcomedAt = turn.Now });
            Membership.Welcome(turn, turn.State.Members[member.WorkerId]);
            turn.Because($"waiting for {member.WorkerId} to report");
            asked = true;
        }

        return asked;
    }

    /// <summary>An observer could not keep up, or has come back: the others train on, and it starts over a little later.</summary>
    public static void StartOver(Turn turn, MemberState member, string why)
    {
        var pause = turn.Plan.Lease * Math.Pow(2, Math.Min(member.FailedFollows, 10));
        turn.Note(NoteKind.Warning, $"observer {member.WorkerId} starts over: {why}");
        turn.Update(member with
        {
            FollowedStep = 0,
            FollowedHash = 0,
            FailedFollows = member.FailedFollows + 1,
            StartsOverAt = turn.Now + (member.FailedFollows == 0 ? TimeSpan.Zero : pause < LongestPause ? pause : LongestPause),
        });
    }
}
