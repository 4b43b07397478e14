using System.Collections.Immutable;
using AdderNet.Core.Configuration;

namespace AdderNet.Coordinator.RunLogic;

/// <summary>One step: started, voted on, committed.</summary>
internal static class Steps
{
    /// <summary>Weight of the newest measurement in smoothed times.</summary>
    private const double Newest = 0.1;

    public static void Start(Turn turn)
    {
        var step = turn.State.Committed.Step + 1;
        turn.State = turn.State with
        {
            Phase = new Stepping(step, turn.Now, ImmutableSortedDictionary.Create<string, Ballot>(StringComparer.Ordinal)),
        };
        turn.Because($"training with {turn.Generation.Members.Length} workers in generation {turn.Generation.Number}");
        turn.Broadcast(step, new StartStepOrder());
    }

    public static void Vote(Turn turn, MemberState member, MemberVoted voted)
    {
        if (turn.State.Phase is not Stepping stepping || voted.Step != stepping.Step)
        {
            turn.Note(NoteKind.StaleMessage, $"{member.WorkerId} votes for step {voted.Step}, which is not being decided");
            return;
        }

        if (turn.Generation.Find(member.WorkerId) is not { Votes: true })
        {
            turn.Note(NoteKind.StaleMessage, $"{member.WorkerId} votes for step {voted.Step} without a vote");
            return;
        }

        stepping = stepping with { Ballots = stepping.Ballots.SetItem(member.WorkerId, voted.Ballot) };
        turn.State = turn.State with { Phase = stepping };
        turn.Update(Measured(member, voted, turn.Now));
        switch (Votes.Judge(turn.Generation.Voters, stepping.Ballots))
        {
            case VoteResult.Differ differ:
                Dispute(turn, stepping.Step, differ.Hashes);
                break;
            case VoteResult.Agreed agreed:
                Decide(turn, stepping, agreed);
                break;
        }
    }

    private static void Dispute(Turn turn, long step, string hashes)
    {
        if (turn.State.DisputedStep == step)
        {
            Endings.Fail(turn, $"the votes for step {step} differ a second time: {hashes}");
            return;
        }

        turn.State = turn.State with { DisputedStep = step };
        turn.Note(NoteKind.Warning, $"the votes for step {step} differ and it is redone once: {hashes}");
        Generations.Renew(turn, $"the votes for step {step} differ: {hashes}");
    }

    private static void Decide(Turn turn, Stepping stepping, VoteResult.Agreed agreed)
    {
        var skip = false;
        if (agreed.Outcome.FirstNonFinite != 0)
        {
            var where = Votes.NameNonFinite(agreed.Outcome.FirstNonFinite, turn.Facts.LayerNames);
            if (turn.Plan.Description.Gradient.OnNonfinite == OnTrouble.Stop)
            {
                Endings.Fail(turn, $"step {stepping.Step} gave a value that is not finite, first in {where}; the last good checkpoint stays (gradient.on_nonfinite: stop)");
                return;
            }

            skip = true;
            turn.Note(NoteKind.Warning, $"step {stepping.Step} gave a value that is not finite, first in {where}; it leaves the weights as they are (gradient.on_nonfinite: skip)");
        }

        Commit(turn, stepping, agreed, skip);
        Boundary.Next(turn);
    }

    /// <summary>The step counts: its metrics line is written, then everyone is told.</summary>
    private static void Commit(Turn turn, Stepping stepping, VoteResult.Agreed agreed, bool skip)
    {
        var took = turn.Now - stepping.StartedAt;
        var state = turn.State;
        turn.State = state with
        {
            Committed = new CommittedStep(stepping.Step, agreed.Hash),
            CommittedOutcome = agreed.Outcome,
            FailuresInARow = 0,
            UnlinkedFailures = 0,
            FailingSince = null,
            Blames = state.Blames.Clear(),
            DisputedStep = null,
            TrainingTime = state.TrainingTime + took,
            SecondsPerStep = state.SecondsPerStep == 0 ? took.TotalSeconds : (1 - Newest) * state.SecondsPerStep + Newest * took.TotalSeconds,
            Totals = Count(state.Totals, stepping.Ballots),
            Members = Applied(state, stepping, agreed),
        };
        turn.State = turn.State with { Imbalance = Rebalancing.Observe(turn.State, turn.Now) };
        turn.Do(new WriteStepLine(new StepLine(
            stepping.Step, turn.Plan.EpochOf(stepping.Step, turn.Facts), agreed.Outcome, skip,
            took > TimeSpan.Zero ? turn.Plan.Description.Batch.Global / took.TotalSeconds : 0,
            turn.Generation.Members.Count(m => m.Range.Count > 0), turn.Generation.Number,
            stepping.Ballots.Values.Max(b => b.ComputeSeconds), stepping.Ballots.Values.Max(b => b.ExchangeSeconds),
            stepping.Ballots.Values.Max(b => b.DataWaitSeconds))));
        turn.Broadcast(stepping.Step, new CommitOrder(agreed.Hash, skip));
    }

    /// <summary>Members that were told of a commit apply it or end: from now on they count as holding the step.</summary>
    private static ImmutableSortedDictionary<string, MemberState> Applied(RunState state, Stepping stepping, VoteResult.Agreed agreed)
    {
        var members = state.Members.ToBuilder();
        foreach (var voter in stepping.Ballots.Keys)
        {
            if (members.TryGetValue(voter, out var member))
                members[voter] = member with { Report = new MemberReport(stepping.Step, agreed.Hash, agreed.Outcome, "", 0, 0) };
        }

        return members.ToImmutable();
    }

    private static ImmutableSortedDictionary<string, WorkerTotals> Count(
        ImmutableSortedDictionary<string, WorkerTotals> totals, ImmutableSortedDictionary<string, Ballot> ballots)
    {
        var counted = totals.ToBuilder();
        foreach (var (worker, ballot) in ballots)
        {
            var before = counted.GetValueOrDefault(worker, WorkerTotals.None)!;
            counted[worker] = new WorkerTotals(
                before.Steps + 1, before.ShardsComputed + ballot.ShardsComputed, before.GradientBytesSent + ballot.GradientBytesSent);
        }

        return counted.ToImmutable();
    }

    private static MemberState Measured(MemberState member, MemberVoted voted, TimeSpan now)
    {
        var ballot = voted.Ballot;
        if (ballot.ShardsComputed == 0 || !(ballot.ComputeSeconds > 0))
            return member with { ProgressAt = now };
        var each = ballot.ComputeSeconds / ballot.ShardsComputed;
        return member with
        {
            ProgressAt = now,
            SecondsPerShard = member.SecondsPerShard is { } before ? (1 - Newest) * before + Newest * each : each,
            SlowestShard = Math.Max(member.SlowestShard, each),
        };
    }
}
