using System.Collections.Immutable;

namespace AdderNet.Coordinator.RunLogic;

/// <summary>Who belongs to the run: joining, proving to be of the same kind, leaving and being lost.</summary>
internal static class Membership
{
    /// <summary>Whether one more worker would be taken in.</summary>
    public static bool Wants(RunState state) =>
        !state.IsOver && state.Members.Count < state.Plan.Description.Elastic.MaxWorkers;

    public static void Connect(Turn turn, MemberConnected connected)
    {
        var state = turn.State;
        var known = state.Members.TryGetValue(connected.WorkerId, out var member);
        var why = state.Facts is { } facts ? Mismatch(facts, connected.Info) : null;
        if (why is null && !known && !Wants(state))
        {
            Refuse(turn, connected.WorkerId, connected.Session, $"run {state.Plan.RunId} has its {state.Plan.Description.Elastic.MaxWorkers} workers (elastic.max_workers)", final: false);
            return;
        }

        if (why is not null)
        {
            Refuse(turn, connected.WorkerId, connected.Session, why, final: true);
            if (known)
                Remove(turn, member!, "it came back as another kind of worker");
            return;
        }

        // A member that reopens its stream prepares again: what was sent meanwhile may be lost, so a new generation follows its report.
        member = known
            ? member! with { Session = connected.Session, Info = connected.Info, Report = null, ClosedAt = null, WelcomedAt = turn.Now, LastHeard = turn.Now }
            : new MemberState
            {
                WorkerId = connected.WorkerId,
                Session = connected.Session,
                Info = connected.Info,
                Joined = state.NextJoin,
                WelcomedAt = turn.Now,
                LastHeard = turn.Now,
                ProgressAt = turn.Now,
            };
        turn.State = state with { NextJoin = known ? state.NextJoin : state.NextJoin + 1 };
        turn.Update(member);
        Checkpoints.WriterLost(turn, member.WorkerId); // what it announced meanwhile may be lost
        Welcome(turn, member);
        turn.Note(NoteKind.Joined, $"{connected.WorkerId} at {connected.Info.Address} ({connected.Info.Host}, process {connected.Info.ProcessId}) {(known ? "reopened its session" : "was welcomed")}");
    }

    /// <summary>Makes a worker report what it holds.</summary>
    public static void Welcome(Turn turn, MemberState member) => turn.Send(member, 0, new WelcomeOrder(
        turn.State.Facts?.Identity ?? "", turn.State.Facts?.ManifestHash ?? "", turn.State.Newest(CheckpointKind.Periodic)?.File ?? ""));

    public static void Prepare(Turn turn, MemberState member, MemberPrepared prepared)
    {
        var state = turn.State;
        var why = Unreached(state.Plan, member, prepared) ?? (state.Facts is { } facts
            ? Mismatch(facts, member.Info)
                ?? Differs("picture probe hash", facts.PictureProbeHash, prepared.PictureProbeHash)
                ?? Differs("data manifest hash", facts.ManifestHash, prepared.ManifestHash)
                ?? Differs("run identity", facts.Identity, prepared.Identity)
            : null);
        if (why is not null)
        {
            Refuse(turn, member.WorkerId, member.Session, why, final: true);
            Remove(turn, member, "it was refused");
            return;
        }

        if (state.Facts is null || state.Facts.Build.Length == 0)
        {
            var fixedNow = new RunFacts(
                member.Info.Build, member.Info.NumericsVersion, member.Info.Engine, member.Info.ProbeHash, prepared.Identity,
                prepared.ManifestHash, prepared.TrainSamples, prepared.TestSamples, prepared.LayerNames)
            {
                PictureProbeHash = prepared.PictureProbeHash,
            };
            turn.State = state with { Facts = fixedNow };
            turn.Do(new RecordFacts(fixedNow));
            if (prepared.TrainSamples < turn.Plan.Description.Batch.Global)
            {
                Endings.Fail(turn, $"the data has {prepared.TrainSamples} training samples, fewer than one global batch (batch.global: {turn.Plan.Description.Batch.Global})");
                return;
            }
        }

        // One that observes in the present generation goes on doing so over its new session.
        var listed = turn.State.Phase is Gathering or Proposing ? null : turn.State.Generation?.Find(member.WorkerId);

        // Within a session a member never holds less than it did: of a report that came again, only what is newer counts.
        member = member.Report is { } known
            ? member with { Report = known.AppliedStep > prepared.Report.AppliedStep ? known : prepared.Report, ProgressAt = turn.Now }
            : member with { Report = prepared.Report, ProgressAt = turn.Now, FollowedStep = 0, MayBeFurther = listed is { Votes: false } };
        turn.Update(member);
        turn.State = turn.State with
        {
            ExpectedBack = turn.State.ExpectedBack.Remove(member.WorkerId),
            Totals = prepared.Totals.Steps == 0
                ? turn.State.Totals
                : turn.State.Totals.SetItem(member.WorkerId, prepared.Totals.Or(turn.State.Totals.GetValueOrDefault(member.WorkerId, WorkerTotals.None)!)),
        };
        if (listed is { Votes: false } && prepared.Report.AppliedStep <= turn.State.Committed.Step)
            Observers.StartOver(turn, member, "it reopened its session");
        else if (listed is not null)
            Generations.Renew(turn, $"{member.WorkerId} reopened its session");
        else if (turn.State.Phase is not (Gathering or Proposing) && prepared.Report.AppliedStep > turn.State.Committed.Step)
            Generations.Renew(turn, $"{member.WorkerId} is ahead, at step {prepared.Report.AppliedStep}");
        else if (turn.State.Phase is Gathering)
            Generations.TryPropose(turn);
        else if (turn.State.Phase is Paused)
            Boundary.Next(turn);
    }

    /// <summary>
    /// Who speaks over an open session and is no member says Hello again: it may not know that it was given up, since an older
    /// session of its own, whose Hello was long under way, had taken its place.
    /// </summary>
    public static void Unknown(Turn turn, MemberEvent from)
    {
        turn.Note(NoteKind.StaleMessage, $"{from.GetType().Name} came of {from.WorkerId}, which is no member");
        if (from is not (StreamClosed or MemberLeft))
            turn.Do(new Send(from.WorkerId, from.Session, 0, 0, new RefusedOrder("it is no member: it says Hello again", Final: false)));
    }

    public static MemberState Heard(Turn turn, MemberState member)
    {
        var heard = member with { LastHeard = turn.Now };
        turn.Update(heard);
        return heard;
    }

    public static void Beat(Turn turn, MemberState member, MemberBeat beat)
    {
        turn.Update(member with
        {
            Waits = beat.Waits,
            Progress = beat.Progress,
            ProgressAt = beat.Progress != member.Progress ? turn.Now : member.ProgressAt,
            Silent = beat.Silent,
        });
        if (!beat.Silent.IsEmpty)
            SilentLinks.Judge(turn);
    }

    /// <summary>Takes a member out; a generation that lists it ends with it.</summary>
    public static void Remove(Turn turn, MemberState member, string why)
    {
        turn.State = turn.State with { Members = turn.State.Members.Remove(member.WorkerId), LastGone = $"{member.WorkerId} {why}" };
        turn.Note(NoteKind.Evicted, $"{member.WorkerId} is no member any more: {why}");
        Checkpoints.WriterLost(turn, member.WorkerId);
        if (turn.State.Phase is not (Gathering or Proposing) && turn.State.Generation?.Find(member.WorkerId) is { Votes: true })
            Generations.Renew(turn, $"{member.WorkerId} is gone: {why}");
    }

    /// <summary>Removes those whose lease ended, and the one that has stood still too long.</summary>
    public static void Expire(Turn turn)
    {
        var lease = turn.Plan.Lease;
        foreach (var member in turn.State.Members.Values.OrderBy(m => m.Joined).ToImmutableArray())
        {
            if (Leases.Expired(member, Recovery.IsOnlyHolder(turn.State, member), lease, turn.Now) is { } why && !turn.State.IsOver)
                GiveUp(turn, member, why);
        }

        if (turn.State.IsOver)
            return;
        var owing = Owing(turn.State).ToArray();
        if (Leases.Hung(owing, lease, Scale(turn.State), turn.State.PhaseSince, turn.Now) is { } hung)
            GiveUp(turn, hung.Member, hung.Why);
        else if (Leases.Stalled(owing, lease, turn.State.PhaseSince, turn.Now) is { } stalled)
            Retrying.Again(turn, $"{turn.State.Phase.GetType().Name.ToLowerInvariant()} at step {turn.State.Committed.Step} stands still: {stalled}", "");
    }

    /// <summary>A tick that comes late says that this coordinator stood still: nobody's time ran meanwhile.</summary>
    public static void Forgive(Turn turn)
    {
        var gap = turn.Now - (turn.State.TickedAt ?? turn.Now);
        turn.State = turn.State with { TickedAt = turn.Now };
        if (!Leases.StoodStill(gap, turn.Plan.Lease))
            return;
        turn.Note(NoteKind.Warning, $"this coordinator stood still for {gap.TotalSeconds:0.0} s: everyone's lease is extended by that");
        turn.State = turn.State with
        {
            PhaseSince = turn.State.PhaseSince + gap,
            ExpectedUntil = turn.State.ExpectedUntil + gap,
            Members = turn.State.Members.ToImmutableSortedDictionary(
                m => m.Key,
                m => m.Value with { LastHeard = turn.Now, ProgressAt = m.Value.ProgressAt + gap, WelcomedAt = m.Value.WelcomedAt + gap, ClosedAt = m.Value.ClosedAt + gap },
                StringComparer.Ordinal),
        };
    }

    /// <summary>A member that is given up is told so, should it ever read it: then it says Hello again and joins anew.</summary>
    public static void GiveUp(Turn turn, MemberState member, string why)
    {
        turn.Do(new Send(member.WorkerId, member.Session, 0, 0, new RefusedOrder($"given up: {why}", Final: false)));
        Remove(turn, member, why);
    }

    /// <summary>Listed members that have not answered the present phase.</summary>
    private static IEnumerable<MemberState> Owing(RunState state) => (state.Generation?.Voters ?? [])
        .Where(listed => state.Phase switch
        {
            Positioning p => !p.StateHashes.ContainsKey(listed.WorkerId),
            Stepping s => !s.Ballots.ContainsKey(listed.WorkerId),
            Evaluating e => e.Parts.TryGetValue(listed.WorkerId, out var part) && part.Count > 0 && !e.Blocks.ContainsKey(part.First),
            _ => false,
        })
        .Select(listed => state.Members.GetValueOrDefault(listed.WorkerId))
        .OfType<MemberState>();

    /// <summary>What a member finishes between two signs of progress, in shards; null: not computing.</summary>
    private static double? Scale(RunState state) => state.Phase switch
    {
        Stepping => 1,
        Evaluating => Math.Max(1, (double)state.Plan.EvaluationBlockSize * state.Plan.Description.Batch.Shards / state.Plan.Description.Batch.Global),
        _ => null,
    };

    private static void Refuse(Turn turn, string workerId, long session, string why, bool final)
    {
        turn.Do(new Send(workerId, session, 0, 0, new RefusedOrder(why, final)));
        turn.Note(NoteKind.Refused, $"{workerId} was refused: {why}");
        if (final)
            turn.State = turn.State with { LastGone = $"{workerId} was refused: {why}" };
    }

    private static string? Unreached(RunPlan plan, MemberState member, MemberPrepared prepared) =>
        prepared.ReachToken == plan.ReachToken
            ? null
            : $"checkpoint.path: {plan.Output} on the coordinator's machine is not what this worker on {member.Info.Host} sees there; use a directory that every worker and the coordinator can reach, or name it as this machine sees it, for example --checkpoints /mnt/shared/run";

    private static string? Mismatch(RunFacts facts, WorkerInfo info) =>
        (facts.Build.Length == 0 ? null : Differs("build", facts.Build, info.Build))
        ?? (facts.NumericsVersion == info.NumericsVersion
            ? null
            : $"numerics version: the run has {facts.NumericsVersion}, this worker has {info.NumericsVersion}")
        ?? Differs("engine", facts.Engine, info.Engine)
        ?? Differs("probe hash", facts.ProbeHash, info.ProbeHash);

    private static string? Differs(string what, string run, string worker) =>
        run == worker ? null : $"{what}: the run has {run}, this worker has {worker}";
}
