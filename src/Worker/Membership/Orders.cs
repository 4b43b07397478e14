namespace AdderNet.Worker.Membership;

/// <summary>What an order means to this member: followed, held because it is early, or refused because it is late.</summary>
internal static class Orders
{
    public static void Take(MemberTurn turn, Order order)
    {
        var state = turn.State;
        if (order.RunId.Length > 0 && order.RunId != state.RunId)
        {
            Ignore(turn, order, $"it belongs to run {order.RunId}, this worker to {state.RunId}");
            return;
        }

        switch (order)
        {
            case WelcomeOrder:
                Reporting.Due(turn, "welcomed again after a reconnection");
                break;
            case RefusedOrder { Final: true } refused:
                turn.Finish(failed: true, refused.Reason);
                break;
            case RefusedOrder refused:
                Generations.GivenUp(turn, refused.Reason);
                break;
            case ReleasedOrder released:
                turn.Finish(failed: false, released.Reason);
                break;
            case EndOrder end when end.Generation != 0 && end.Generation < state.Generation:
                Ignore(turn, end, Late(state, end));
                break;
            case EndOrder end:
                turn.Finish(end.Failed, end.Reason, runEnded: true);
                break;
            case GenerationOrder generation:
                Generations.Announced(turn, generation);
                break;
            default:
                TakeWithin(turn, order);
                break;
        }
    }

    /// <summary>Looks again at what was held, until there is work or nothing more to do.</summary>
    public static void Resume(MemberTurn turn)
    {
        if (turn.State.ReportDue is { } due && turn.State.Work is null)
            Reporting.Report(turn, due);

        // A newer generation makes the orders of older ones void, so it goes first.
        while (turn.State.Work is null && !turn.State.IsFinished && NextEarly(turn.State) is { } order)
        {
            turn.State = turn.State with { Early = turn.State.Early.Remove(order) };
            Take(turn, order);
        }
    }

    public static void Ignore(MemberTurn turn, Order order, string reason) =>
        turn.Note(NoteKind.Ignored, $"{order.GetType().Name} of step {order.Step} is ignored: {reason}");

    /// <summary>Keeps an order for later.</summary>
    public static void Hold(MemberTurn turn, Order order, string reason)
    {
        turn.Note(NoteKind.Held, $"{order.GetType().Name} of step {order.Step} is held: {reason}");
        turn.State = turn.State with { Early = turn.State.Early.Add(order) };
        if (turn.State.Early.Length <= MemberMachine.MostEarly)
            return;
        turn.State = turn.State with { Early = [] };
        Reporting.Due(turn, $"more than {MemberMachine.MostEarly} orders came early");
    }

    private static Order? NextEarly(MemberState state) =>
        state.Early.FirstOrDefault(o => o is GenerationOrder)
        ?? (Files.AwaitsRoom(state) ? null : state.Early.FirstOrDefault(o => o.Generation <= state.Generation && !IsOneAhead(state, o)));

    private static string Late(MemberState state, Order order) => $"it is of generation {order.Generation}, this member in {state.Generation}";

    /// <summary>Orders that belong to one generation.</summary>
    private static void TakeWithin(MemberTurn turn, Order order)
    {
        var state = turn.State;
        if (order.Generation < state.Generation)
            Ignore(turn, order, Late(state, order));
        else if (order.Generation > state.Generation)
            Hold(turn, order, $"generation {order.Generation} was not announced yet; this member is in {state.Generation}");
        else if (state.Observes)
            Observing.Take(turn, order);
        else if (state.Work is { IsAborting: false } work and not MemberWork.Positioning)
            Hold(turn, order, $"this member is {work.GetType().Name.ToLowerInvariant()}");
        else if (IsOneAhead(state, order))
            Hold(turn, order, $"the commit of step {state.AppliedStep + 1} comes first");
        else if (Files.AwaitsRoom(state))
            Hold(turn, order, "a file of this boundary waits for another one to be written");
        else if (!state.InPosition || state.Work is not null)
            Ignore(turn, order, $"generation {order.Generation} was left, or its base is not reached");
        else
            Follow(turn, order);
    }

    private static void Follow(MemberTurn turn, Order order)
    {
        switch (order)
        {
            case StepOrder step:
                Steps.Start(turn, step);
                break;
            case CommitOrder commit:
                Steps.Commit(turn, commit);
                break;
            case EvaluateOrder evaluate when AtBoundary(turn, evaluate, "evaluation"):
                turn.Because($"evaluation at the boundary after step {evaluate.Step}");
                turn.Begin(n => new MemberWork.Evaluating(n, evaluate), n => new EvaluateBlocks(n, evaluate));
                break;
            case CheckpointOrder checkpoint when AtBoundary(turn, checkpoint, "checkpoint"):
                Files.Order(turn, checkpoint);
                break;
        }
    }

    /// <summary>It follows the commit of the held step, which is still on its way.</summary>
    private static bool IsOneAhead(MemberState state, Order order) =>
        state.InPosition && order.Generation == state.Generation && state.Held.Any(h => h.Step == state.AppliedStep + 1) && order switch
        {
            StepOrder step => step.Step == state.AppliedStep + 2,
            EvaluateOrder or CheckpointOrder => order.Step == state.AppliedStep + 1,
            _ => false,
        };

    private static bool AtBoundary(MemberTurn turn, Order order, string phase)
    {
        if (order.Step == turn.State.AppliedStep)
            return true;
        Reporting.Fail(turn, order.Step, phase, $"asked for the boundary after step {order.Step} while at step {turn.State.AppliedStep}");
        return false;
    }
}

/// <summary>What the coordinator hears of this member.</summary>
internal static class Reporting
{
    /// <summary>Ends the present work; once it has ended the coordinator is told what this member holds.</summary>
    public static void Due(MemberTurn turn, string reason)
    {
        turn.Because(reason);
        turn.State = turn.State with { ReportDue = reason };
        turn.Abort(reason);
        Orders.Resume(turn);
    }

    public static void Report(MemberTurn turn, string reason)
    {
        turn.Because(reason);
        var state = turn.State = turn.State with { ReportDue = null };

        var pending = state.Held.FirstOrDefault(h => h.Step == state.AppliedStep + 1 && h.Hash is not null);
        turn.Tell(state.AppliedStep, new PreparedReport(
            state.AppliedStep, state.AppliedHash, state.AppliedFacts, pending?.Step ?? 0, pending?.Hash ?? 0, state.Totals, state.ReachToken));
        if (state.Leaving is { } leaving)
            turn.Tell(state.AppliedStep, new LeaveReport(leaving.Why));
    }

    /// <summary>The order cannot be followed: said so that a new generation sets things right.</summary>
    public static void Fail(MemberTurn turn, long step, string phase, string reason, string peer = "")
    {
        turn.Note(NoteKind.Warning, $"{phase} failed at step {step}: {reason}");
        turn.Tell(step, new FailedReport(phase, reason, peer));
    }
}
