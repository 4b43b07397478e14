using System.Collections.Immutable;
using AdderNet.Core.Sharding;

namespace AdderNet.Coordinator.RunLogic;

/// <summary>Making generations: when one is due, who is in it, from where it starts, and whether all stand there.</summary>
internal static class Generations
{
    /// <summary>The first generation waits so long for the expected workers once elastic.min_workers are there.</summary>
    public static readonly TimeSpan PatienceForExpected = TimeSpan.FromSeconds(30);

    /// <summary>Ends the present generation and starts the next one as soon as it can be.</summary>
    public static void Renew(Turn turn, string cause)
    {
        turn.State = turn.State with { Phase = new Gathering(turn.Now, turn.Now, cause) };
        TryPropose(turn);
    }

    /// <summary>Proposes a generation if the run waits for one and all that must be there is.</summary>
    public static void TryPropose(Turn turn)
    {
        if (turn.State.Phase is not Gathering gathering)
            return;
        var state = turn.State;
        if (!state.ExpectedBack.IsEmpty && HadTimeToComeBack(turn))
            turn.State = state with { ExpectedBack = state.ExpectedBack.Clear() };
        Departures.SettleWaiting(turn);
        state = turn.State;

        var ready = state.Ready.OrderBy(m => m.Joined).ToImmutableArray();
        var saved = state.Newest(CheckpointKind.Periodic)?.Step ?? 0;
        if (state.Wish == Wish.Stop && (state.Members.IsEmpty || state.Committed.Step <= saved))
        {
            // Nothing that is not on disk can be saved: either all is, or there is no worker that could write it.
            Endings.Stop(turn);
            return;
        }

        if (WaitsFor(turn, gathering, ready) is { } wait)
        {
            turn.Because(wait);
            return;
        }

        var from = Recovery.Choose(ready, state.Checkpoints, state.Committed);
        if (from.Conflict is { } conflict)
        {
            Endings.Fail(turn, conflict);
            return;
        }

        if (from.Step < state.Committed.Step && Observers.AskAgain(turn))
            return;
        var plan = new GenerationPlan(
            state.LastGeneration + 1, Listed(turn, ready, from), from.Step, from.Hash, from.Sources, from.Checkpoint, gathering.Cause);
        turn.State = state with { Phase = new Proposing(plan) };
        turn.Because($"generation {plan.Number} of {ready.Length} workers is being made: {gathering.Cause}");
        turn.Do(new ProposeGeneration(plan.Number, plan.Members, plan.BaseStep, plan.Why));
    }

    /// <summary>The store made the number ours: the generation is announced, if its members are still there.</summary>
    public static void Granted(Turn turn, long number)
    {
        turn.State = turn.State with { LastGeneration = Math.Max(number, turn.State.LastGeneration) };
        if (turn.State.Phase is not Proposing { Plan: var plan } || plan.Number != number)
            return;
        var ready = turn.State.Ready.Select(m => m.WorkerId).ToHashSet(StringComparer.Ordinal);
        if (!plan.Voters.All(m => ready.Contains(m.WorkerId)))
        {
            Renew(turn, plan.Why);
            return;
        }

        TakeUpBase(turn, plan);
        turn.State = turn.State with
        {
            Generation = plan,
            Phase = new Positioning(ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal)),
            ExpectedBack = turn.State.ExpectedBack.Clear(),
            AwaitsExpected = false,
            LastGone = "",
            Members = turn.State.Members.ToImmutableSortedDictionary(
                m => m.Key,
                m => m.Value with
                {
                    ProgressAt = turn.Now,
                    Waits = false,
                    Silent = [],

                    // Who votes since it followed to the base is known to hold it, even if this generation ends before it says so.
                    FollowedStep = Recovery.Follows(m.Value, turn.State.Committed) ? m.Value.FollowedStep : 0,
                    StartsOverAt = null,
                    MayBeFurther = m.Value.MayBeFurther || plan.Find(m.Key) is { Votes: false },
                },
                StringComparer.Ordinal),
        };
        turn.State = turn.State with { Imbalance = Rebalancing.Restart(turn.State) };
        Checkpoints.OrdersLost(turn);
        turn.Because($"generation {number} starts at step {plan.BaseStep} with {plan.Members.Length} workers: {plan.Why}");
        turn.Note(NoteKind.Generation, turn.State.Reason);
        turn.Broadcast(plan.BaseStep, new GenerationStartedOrder(plan));
    }

    /// <summary>A member stands at the base; when all do, their states must be equal, and the run goes on.</summary>
    public static void InPosition(Turn turn, MemberState member, MemberInPosition at)
    {
        if (turn.State.Phase is not Positioning positioning || at.Step != turn.Generation.BaseStep)
        {
            turn.Note(NoteKind.StaleMessage, $"{member.WorkerId} is in position at step {at.Step}, which nobody waits for");
            return;
        }

        var hashes = positioning.StateHashes.SetItem(member.WorkerId, at.StateHash);
        turn.State = turn.State with { Phase = new Positioning(hashes) };
        turn.Update(member with { MayBeFurther = false, Report = AtBase(member.Report ?? MemberReport.Fresh, turn.Generation, at.StateHash) });
        if (!turn.Generation.Voters.All(m => hashes.ContainsKey(m.WorkerId)))
            return;
        if (hashes.Values.Distinct(StringComparer.Ordinal).Count() > 1)
        {
            Endings.Fail(turn, $"members hold different states of step {at.Step}: {string.Join(", ", hashes.Select(h => $"{h.Key} {h.Value}"))}");
            return;
        }

        Boundary.Next(turn);
    }

    /// <summary>The generation has ended meanwhile, but what the member holds is known by it.</summary>
    public static void InPositionLate(Turn turn, MemberState member, MemberInPosition at)
    {
        turn.Note(NoteKind.StaleMessage, $"{member.WorkerId} is in position at step {at.Step} of generation {at.Generation}, which has ended");
        if (at.Step == turn.Generation.BaseStep && member.AppliedStep <= at.Step)
            turn.Update(member with { MayBeFurther = false, Report = AtBase(member.Report ?? MemberReport.Fresh, turn.Generation, at.StateHash) });
    }

    /// <summary>
    /// Who is listed, in joining order: those who can stand at the base by themselves vote; the others follow as observers,
    /// unless too few are left to train without them, or nobody holds the base, so that all have to get it first.
    /// </summary>
    private static ImmutableArray<GenerationMember> Listed(Turn turn, ImmutableArray<MemberState> ready, RecoveryBase from)
    {
        var state = turn.State;
        var able = ready.Count(m => Recovery.Reaches(m, from.Step, from.Hash, state.Committed));
        var all = from.Sources.IsEmpty || able < Math.Max(1, Needed(state));
        var voters = ready.Where(m => all || Recovery.Reaches(m, from.Step, from.Hash, state.Committed)).ToImmutableArray();
        var speeds = state.Plan.Description.Elastic.Rebalance ? RelativeSpeeds(voters) : [.. voters.Select(_ => 1.0)];
        var shards = state.Plan.Description.Batch.Shards;
        var ranges = ShardAssignment.Cut(shards, speeds);
        return
        [
            .. ready.Select(m => voters.IndexOf(m) is var i and >= 0
                ? new GenerationMember(m.WorkerId, m.Info.Address, ranges[i], Votes: true)
                : new GenerationMember(m.WorkerId, m.Info.Address, new ShardRange(shards, shards), Votes: false)),
        ];
    }

    /// <summary>One is enough to write the checkpoint of a stop, or of the last one to leave.</summary>
    private static int Needed(RunState state) =>
        state.Wish == Wish.Stop || Departures.MustSave(state) ? 1 : state.Plan.Description.Elastic.MinWorkers;

    /// <summary>What the next generation still waits for, in words; null: nothing.</summary>
    private static string? WaitsFor(Turn turn, Gathering gathering, ImmutableArray<MemberState> ready)
    {
        var (state, elastic) = (turn.State, turn.Plan.Description.Elastic);
        var needed = Needed(state);
        if (ready.Length < needed)
        {
            turn.State = state with { Phase = gathering with { Since = turn.Now } };
            var (paused, gone) = (state.Wish == Wish.Pause ? "; paused" : "", state.LastGone.Length == 0 ? "" : $"; the last to go: {state.LastGone}");
            return $"waiting for workers: {ready.Length} of at least {needed} are there (elastic.min_workers){paused}{gone}";
        }

        if (state.Doubted is { } doubted)
            return $"waiting for {doubted.File} to be read again";
        if (!state.ExpectedBack.IsEmpty)
            return $"waiting for {string.Join(", ", state.ExpectedBack)} to come back";
        if (state.Members.Values.FirstOrDefault(m => m.ClosedAt is not null) is { } closed)
            return $"waiting for {closed.WorkerId} to reopen its session";
        if (state.Members.Values.FirstOrDefault(m => IsDue(m, turn)) is { } away)
            return $"waiting for {away.WorkerId} to report";
        if (turn.Now < gathering.NotBefore)
            return state.Reason;

        var expected = Math.Min(state.Plan.ExpectedWorkers, elastic.MaxWorkers);
        return state.AwaitsExpected && ready.Length < expected && turn.Now - gathering.Since < PatienceForExpected
            ? $"waiting for workers: {ready.Length} of {expected} are there; starts with fewer after {PatienceForExpected.TotalSeconds:0} s"
            : null;
    }

    /// <summary>
    /// The stored generation's members had a lease to come back. Where nobody did, nobody could: once the first does, the others
    /// are as near, and one of them may be ahead.
    /// </summary>
    private static bool HadTimeToComeBack(Turn turn)
    {
        var state = turn.State;
        return turn.Now >= state.ExpectedUntil && !state.Members.IsEmpty
            && turn.Now - state.Members.Values.Min(m => m.WelcomedAt) >= Leases.ReopenGrace;
    }

    /// <summary>A listed member that came back has its state ready and reports at once; one that does not within a lease is not waited for.</summary>
    private static bool IsDue(MemberState member, Turn turn) =>
        !member.IsPrepared && turn.State.Generation?.Find(member.WorkerId) is not null && turn.Now - member.WelcomedAt < turn.Plan.Lease;

    /// <summary>The base becomes what counts; anything recorded beyond it is forgotten.</summary>
    private static void TakeUpBase(Turn turn, GenerationPlan plan)
    {
        var state = turn.State;
        if (state.Generation is not null && plan.BaseStep == state.Committed.Step)
            return;
        var outcome = state.Members.Values
            .Where(m => m.AppliedStep == plan.BaseStep)
            .Select(m => m.Report?.AppliedOutcome)
            .FirstOrDefault(o => o is { Samples: > 0 });
        var line = outcome is null || plan.BaseStep == 0
            ? null
            : new StepLine(
                plan.BaseStep, state.Plan.EpochOf(plan.BaseStep, turn.Facts), outcome, outcome.FirstNonFinite != 0,
                0, plan.Members.Length, plan.Number, 0, 0, 0);
        turn.State = state with
        {
            Committed = new CommittedStep(plan.BaseStep, plan.BaseHash),
            CommittedOutcome = outcome,
            Checkpoints = state.Checkpoints.RemoveAll(c => c.Step > plan.BaseStep),
            Writing = state.Writing.RemoveAll(w => w.Step > plan.BaseStep),
            Evaluations = state.Evaluations.RemoveAll(e => e.Step > plan.BaseStep),
        };
        var evaluated = state.Evaluations.FirstOrDefault(e => e.Step == plan.BaseStep);
        turn.Do(new CutHistory(plan.BaseStep, line, evaluated is null ? null : new WriteEvaluationLine(evaluated, state.Plan.EpochOf(plan.BaseStep, turn.Facts))));

        // A coordinator that died between recording a checkpoint and deleting the oldest left one too many.
        Checkpoints.GiveUpOldest(turn);
    }

    private static MemberReport AtBase(MemberReport report, GenerationPlan plan, string stateHash) =>
        report.AppliedStep == plan.BaseStep
            ? report with { StateHash = stateHash, AppliedHash = report.AppliedHash != 0 ? report.AppliedHash : plan.BaseHash }
            : new MemberReport(plan.BaseStep, plan.BaseHash, null, stateHash, 0, 0);

    /// <summary>Shards a second relative to the fastest; a member not yet measured counts as the mean of the others.</summary>
    private static double[] RelativeSpeeds(ImmutableArray<MemberState> members)
    {
        var known = members.Where(m => m.SecondsPerShard > 0).Select(m => 1 / m.SecondsPerShard!.Value).ToArray();
        var usual = known.Length == 0 ? 1 : known.Average();
        return [.. members.Select(m => m.SecondsPerShard > 0 ? 1 / m.SecondsPerShard.Value : usual)];
    }
}
