using System.Collections.Immutable;

namespace AdderNet.Coordinator.RunLogic;

/// <summary>The state from which a generation starts.</summary>
/// <param name="Step">Its step; 0: initial weights.</param>
/// <param name="Hash">Voted hash of the step; 0: not known.</param>
/// <param name="Outcome">The step's facts when a member reported them.</param>
/// <param name="Sources">Members that hold it.</param>
/// <param name="Checkpoint">Where it lies when no member holds it; empty: initial weights.</param>
/// <param name="Conflict">Set when members hold different states for one step: the run cannot go on.</param>
internal sealed record RecoveryBase(
    long Step, ulong Hash, StepOutcome? Outcome, ImmutableArray<string> Sources, string Checkpoint, string? Conflict);

/// <summary>
/// Chooses the recovery base: the highest step that a member has applied or that a verified checkpoint holds. A step
/// beyond it was never applied by anyone who can be reached, so redoing it gives the same bits.
/// </summary>
internal static class Recovery
{
    public static RecoveryBase Choose(
        IReadOnlyCollection<MemberState> members, ImmutableArray<CheckpointRecord> checkpoints, CommittedStep committed)
    {
        var newest = checkpoints.Where(c => c.Kind == CheckpointKind.Periodic).OrderBy(c => c.Step).LastOrDefault();
        var reachable = members.Count == 0 ? 0 : members.Max(m => Reachable(m, committed));
        var step = Math.Max(reachable, newest?.Step ?? 0);

        var holders = members.Where(m => m.AppliedStep == step).ToArray();
        var hashes = holders.Where(m => m.Report!.AppliedHash != 0).ToArray();
        var hash = committed.Step == step && committed.Hash != 0 ? committed.Hash : hashes.FirstOrDefault()?.Report!.AppliedHash ?? 0;
        var odd = hashes.FirstOrDefault(m => m.Report!.AppliedHash != hash);
        var conflict = odd is null
            ? null
            : $"members hold different steps {step}: {string.Join(", ", hashes.Select(m => $"{m.WorkerId} {m.Report!.AppliedHash:x16}"))}; committed was {hash:x16}";

        // Members that hold initial weights need no download: each makes its own from the seed.
        ImmutableArray<string> sources = step == 0
            ? []
            : [.. members.Where(m => Reaches(m, step, hash, committed)).OrderByDescending(m => m.AppliedStep).ThenBy(m => m.Joined).Select(m => m.WorkerId)];
        return new RecoveryBase(
            step,
            hash,
            holders.Select(m => m.Report!.AppliedOutcome).FirstOrDefault(o => o is { Samples: > 0 }),
            sources,
            sources.IsEmpty && step > 0 ? newest!.File : "",
            conflict);
    }

    /// <summary>Whether a member can stand at a base by itself: it is there, or holds the base's very step pending.</summary>
    public static bool Reaches(MemberState member, long step, ulong hash, CommittedStep committed) =>
        Reachable(member, committed) == step
        || (hash != 0 && member.Report is { } report && report.PendingStep == step && report.AppliedStep == step - 1 && report.PendingHash == hash);

    /// <summary>Whether an observer holds the committed step.</summary>
    public static bool Follows(MemberState member, CommittedStep committed) =>
        member.FollowedStep > 0 && member.FollowedStep == committed.Step && (committed.Hash == 0 || member.FollowedHash == committed.Hash);

    /// <summary>Whether the committed step would have to be made again without this member.</summary>
    public static bool IsOnlyHolder(RunState state, MemberState member)
    {
        var committed = state.Committed;
        return Holds(member, committed) && (state.Newest(CheckpointKind.Periodic)?.Step ?? 0) < committed.Step
            && !state.Members.Values.Any(m => m.WorkerId != member.WorkerId && Holds(m, committed));
    }

    private static bool Holds(MemberState member, CommittedStep committed) =>
        member.Report is not null && committed.Step > 0 && Reachable(member, committed) >= committed.Step;

    /// <summary>The step at which a member can stand without anyone's help: a pending step that was committed is as good as applied, and so is one that an observer holds.</summary>
    private static long Reachable(MemberState member, CommittedStep committed)
    {
        var report = member.Report!;
        var holdsCommitted = report.PendingStep == committed.Step && report.PendingStep == report.AppliedStep + 1
            && report.PendingHash == committed.Hash && committed.Hash != 0;
        return holdsCommitted ? report.PendingStep : Follows(member, committed) ? committed.Step : report.AppliedStep;
    }
}
