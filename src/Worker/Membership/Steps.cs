namespace AdderNet.Worker.Membership;

/// <summary>A voter's step: computed, exchanged, voted for, and applied once it is committed.</summary>
internal static class Steps
{
    public static void Start(MemberTurn turn, StepOrder order)
    {
        var state = turn.State;
        if (order.Step <= state.AppliedStep || state.Held.Any(h => h.Step == order.Step))
        {
            Orders.Ignore(turn, order, $"step {order.Step} was computed already");
            return;
        }

        if (order.Step != state.AppliedStep + 1)
        {
            Reporting.Fail(turn, order.Step, "step", $"asked for step {order.Step} while at step {state.AppliedStep}");
            return;
        }

        turn.Because($"step {order.Step} follows {state.AppliedStep}");
        turn.Begin(n => new MemberWork.Computing(n, order.Step), n => new ComputeStep(n, order.Step));
    }

    public static void Computed(MemberTurn turn, MemberWork.Computing work)
    {
        turn.Because($"the shards of step {work.Step} are computed");
        turn.Begin(n => new MemberWork.Exchanging(n, work.Step), n => new ExchangeStep(n, work.Step));
    }

    /// <summary>The mean is held until its commit, or until a base is announced that makes it void.</summary>
    public static void Reduced(MemberTurn turn, MemberWork.Exchanging work, StepReduced reduced)
    {
        turn.State = turn.State with { Held = [new HeldStep(work.Step, reduced.Hash, reduced.Facts, reduced.Effort, null)] };
        turn.Because($"step {work.Step} is held with hash {reduced.Hash:x16}");

        // Work that was to end has no generation to vote in; what is held is reported.
        if (!work.IsAborting)
            turn.Tell(work.Step, new VoteReport(reduced.Hash, reduced.Facts, reduced.Effort));
    }

    public static void Commit(MemberTurn turn, CommitOrder order)
    {
        var state = turn.State;
        if (order.Step <= state.AppliedStep)
        {
            Orders.Ignore(turn, order, $"step {order.Step} was applied already");
            return;
        }

        var held = state.Held.FirstOrDefault(h => h.Step == order.Step);
        if (held?.Hash != order.Hash)
        {
            Reporting.Fail(turn, order.Step, "commit", held is null
                ? $"step {order.Step} was committed, but this member holds none at step {state.AppliedStep}"
                : $"step {order.Step} was committed with hash {order.Hash:x16}, this member holds {held.Hash:x16}");
            return;
        }

        Apply(turn, held with { Commit = order });
    }

    /// <summary>Nothing is applied before its commit.</summary>
    public static void Apply(MemberTurn turn, HeldStep held)
    {
        turn.Because($"step {held.Step} was committed");
        turn.Begin(n => new MemberWork.Applying(n, held), n => new ApplyStep(n, held.Step, held.Commit!.Skip));
    }

    public static void Applied(MemberTurn turn, MemberWork.Applying work)
    {
        var (state, held) = (turn.State, work.Held);
        turn.State = state with
        {
            AppliedStep = held.Step,
            AppliedHash = held.Hash!.Value,
            AppliedFacts = held.Facts,
            Held = state.Held.RemoveAll(h => h.Step <= held.Step),
            Totals = state.Totals.Plus(held.Effort),
        };
        turn.Because($"step {held.Step} is applied");
        if (state.Observes)
            Observing.Proceed(turn);
    }
}
