namespace AdderNet.Worker.Membership;

/// <summary>What follows when work ends: its result counts if it was not told to end, and what was held meanwhile is looked at.</summary>
internal static class WorkEnds
{
    public static void Take(MemberTurn turn, WorkEvent @event)
    {
        if (turn.State.Work is not { } work || work.Number != @event.Work)
        {
            turn.Note(NoteKind.Ignored, $"{@event.GetType().Name} of work {@event.Work} is ignored: that work is over");
            return;
        }

        turn.State = turn.State with { Work = null };
        switch (@event, work)
        {
            case (ApplyFailed failed, _):
                turn.Finish(failed: true, failed.Why);
                return;
            case (BaseReached reached, MemberWork.Positioning positioning):
                Generations.Reached(turn, positioning, reached.StateHash);
                break;
            case (StepComputed, MemberWork.Computing { IsAborting: false } computing):
                Steps.Computed(turn, computing);
                break;
            case (StepReduced reduced, MemberWork.Exchanging exchanging):
                Steps.Reduced(turn, exchanging, reduced);
                break;
            case (StepApplied, MemberWork.Applying applying):
                Steps.Applied(turn, applying);
                break;
            case (BlocksEvaluated evaluated, MemberWork.Evaluating { IsAborting: false } evaluating):
                turn.Because($"{evaluated.Blocks.Count} blocks are evaluated");
                turn.Tell(evaluating.Order.Step, new EvaluationReport(evaluated.Blocks));
                break;
            case (WorkFailed failed, { IsAborting: false }):
                Fail(turn, work, failed);
                break;
            default:
                turn.Because($"{work.GetType().Name.ToLowerInvariant()} has ended");
                break;
        }

        Orders.Resume(turn);
    }

    private static void Fail(MemberTurn turn, MemberWork work, WorkFailed failed)
    {
        switch (work)
        {
            case MemberWork.Positioning when turn.State.Observes:
                Observing.StartOver(turn, failed.Why);
                break;
            case MemberWork.Positioning positioning:
                Reporting.Fail(turn, positioning.View.BaseStep, "position", failed.Why, failed.Peer);
                break;
            case MemberWork.Evaluating evaluating:
                Reporting.Fail(turn, evaluating.Order.Step, "evaluation", failed.Why, failed.Peer);
                break;
            case MemberWork.Computing computing:
                Reporting.Fail(turn, computing.Step, "step", failed.Why, failed.Peer);
                break;
            case MemberWork.Exchanging exchanging:
                Reporting.Fail(turn, exchanging.Step, "step", failed.Why, failed.Peer);
                break;
        }
    }
}
