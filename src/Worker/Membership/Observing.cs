using System.Collections.Immutable;

namespace AdderNet.Worker.Membership;

/// <summary>
/// An observer catches up while the others train: it takes the finished mean of every step since the generation's base,
/// gets the base's state, and applies what was committed. Nobody waits for it. When it cannot keep up it starts over in a
/// later generation; when it holds the newest committed step it may vote in the next one.
/// </summary>
internal static class Observing
{
    public static void Take(MemberTurn turn, Order order)
    {
        if (!Follows(turn.State))
        {
            Orders.Ignore(turn, order, $"this observer starts over after generation {order.Generation}");
            return;
        }

        switch (order)
        {
            case StepOrder step:
                Begin(turn, step);
                break;
            case CommitOrder commit:
                Commit(turn, commit);
                break;
            default:
                Orders.Ignore(turn, order, "an observer has no part in it");
                break;
        }
    }

    public static void Taken(MemberTurn turn, MeanTaken taken)
    {
        if (Find(turn.State, taken.Generation, taken.Step) is not { } held)
        {
            turn.Note(NoteKind.Ignored, $"the mean of step {taken.Step} in generation {taken.Generation} is not needed any more");
            return;
        }

        turn.Because($"the mean of step {taken.Step} is held");
        Replace(turn, held, held with { Hash = taken.Hash, Facts = taken.Facts });
    }

    public static void Missed(MemberTurn turn, MeanMissed missed)
    {
        if (Find(turn.State, missed.Generation, missed.Step) is not null)
            StartOver(turn, missed.Why);
    }

    /// <summary>Applies what is committed, in order, and says from where on this member could vote.</summary>
    public static void Proceed(MemberTurn turn)
    {
        var state = turn.State;
        if (!state.InPosition)
            return;
        if (state.Work is null && !state.Held.IsEmpty && state.Held[0].IsApplicable)
        {
            Steps.Apply(turn, state.Held[0]);
            state = turn.State;
        }

        // Two held steps are one being applied and one being decided: no more than any voter has.
        var reached = state.Held.TakeWhile((h, i) => h.Hash is not null && (i == 0 || state.Held[i - 1].IsApplicable)).LastOrDefault();
        var (step, hash) = reached is null ? (state.AppliedStep, state.AppliedHash) : (reached.Step, reached.Hash!.Value);
        if (state.Held.Length > 2 || step <= state.FollowedStep)
            return;
        turn.State = state with { FollowedStep = step };
        turn.Tell(step, new FollowReport(hash));
    }

    /// <summary>
    /// Gives up this attempt: the coordinator lists this member again at a later boundary. Means that are here stay until the
    /// next base is announced: the coordinator may have been told of them, and nobody else may hold them by now.
    /// </summary>
    public static void StartOver(MemberTurn turn, string reason)
    {
        var state = turn.State;
        var kept = state.InPosition ? state.Held.TakeWhile(h => h.Hash is not null && (h.Commit is null || h.IsApplicable)).ToImmutableArray() : [];
        turn.State = state with { InPosition = false, Held = kept };
        turn.Do(new DropMeans(kept.IsEmpty ? 0 : kept[^1].Step));
        turn.Abort("this observer starts over");
        Reporting.Fail(turn, turn.State.View!.BaseStep, "observe", reason);
    }

    private static bool Follows(MemberState state) => state.InPosition || state.Work is MemberWork.Positioning { IsAborting: false };

    private static HeldStep? Find(MemberState state, long generation, long step) =>
        state.Observes && generation == state.Generation && Follows(state) ? state.Held.FirstOrDefault(h => h.Step == step) : null;

    private static void Begin(MemberTurn turn, StepOrder order)
    {
        var state = turn.State;
        var last = !state.Held.IsEmpty ? state.Held[^1].Step : state.Work is MemberWork.Positioning positioning ? positioning.View.BaseStep : state.AppliedStep;
        if (order.Step <= last)
        {
            Orders.Ignore(turn, order, $"step {order.Step} is followed already");
        }
        else if (order.Step > last + 1)
        {
            StartOver(turn, $"step {order.Step} began, but this observer has followed to step {last} only");
        }
        else if (state.Held.Length >= MemberMachine.MostHeldSteps)
        {
            StartOver(turn, $"step {order.Step} began while {state.Held.Length} steps wait to be applied");
        }
        else
        {
            turn.Because($"step {order.Step} is followed");
            turn.State = state with { Held = state.Held.Add(new HeldStep(order.Step, null, null, StepEffort.None, null)) };
            turn.Do(new TakeMean(order.Generation, order.Step));
        }
    }

    private static void Commit(MemberTurn turn, CommitOrder order)
    {
        var state = turn.State;
        if (state.Held.FirstOrDefault(h => h.Step == order.Step) is { } held)
        {
            turn.Because($"step {order.Step} was committed");
            Replace(turn, held, held with { Commit = order });
        }
        else if (state.InPosition && order.Step <= state.AppliedStep)
        {
            Orders.Ignore(turn, order, $"step {order.Step} was applied already");
        }
        else
        {
            StartOver(turn, $"step {order.Step} was committed, but this observer does not follow it");
        }
    }

    private static void Replace(MemberTurn turn, HeldStep held, HeldStep better)
    {
        turn.State = turn.State with { Held = turn.State.Held.Replace(held, better) };
        if (better is { Hash: { } hash, Commit: { } commit } && hash != commit.Hash)
            StartOver(turn, $"step {better.Step} was committed with hash {commit.Hash:x16}, this observer received {hash:x16}");
        else
            Proceed(turn);
    }
}
