using System.Collections.Immutable;

namespace AdderNet.Coordinator.RunLogic;

/// <summary>All members stand at the committed step: starts the next act.</summary>
internal static class Boundary
{
    public static void Next(Turn turn)
    {
        if (Departures.Settle(turn))
            return;
        if (Observers.Due(turn) is { } cause)
        {
            Generations.Renew(turn, cause);
            return;
        }

        var state = turn.State;
        switch (BoundarySchedule.Next(state))
        {
            case BoundaryAct.WriteCheckpoint:
                Checkpoints.Order(turn, CheckpointKind.Periodic);
                break;
            case BoundaryAct.WriteBest:
                Checkpoints.Order(turn, CheckpointKind.Best);
                break;
            case BoundaryAct.WriteFinal:
                Checkpoints.Order(turn, CheckpointKind.Final);
                break;
            case BoundaryAct.Evaluate:
                Evaluations.Start(turn);
                break;
            case BoundaryAct.AwaitFile:
                Checkpoints.Await(turn);
                break;
            case BoundaryAct.Complete:
                Endings.Complete(turn);
                break;
            case BoundaryAct.Stop:
                Endings.Stop(turn);
                break;
            case BoundaryAct.Pause:
                turn.State = turn.State with { Phase = new Paused() };
                turn.Because($"paused at step {state.Committed.Step}: {state.WishReason}");
                turn.RecordProgress(RunCondition.Paused);
                break;
            case BoundaryAct.StartStep when Rebalancing.Due(turn) is { } why:
                Generations.Renew(turn, why);
                break;
            case BoundaryAct.StartStep:
                Steps.Start(turn);
                break;
        }
    }
}

/// <summary>What people ask of a run.</summary>
internal static class Controls
{
    public static void Ask(Turn turn, ControlAsked asked)
    {
        switch (asked.Kind)
        {
            case ControlKind.Cancel:
                Endings.Cancel(turn, asked.Why);
                break;
            case ControlKind.Stop:
                Wish(turn, RunLogic.Wish.Stop, asked.Why);
                if (turn.State.Phase is Paused)
                    Boundary.Next(turn);
                else
                    Generations.TryPropose(turn);
                break;
            case ControlKind.Pause:
                Wish(turn, RunLogic.Wish.Pause, asked.Why);
                Generations.TryPropose(turn);
                break;
            case ControlKind.Resume:
                Wish(turn, RunLogic.Wish.None, "");
                if (turn.State.Phase is Paused)
                    Boundary.Next(turn);
                else
                    Generations.TryPropose(turn);
                break;
        }
    }

    private static void Wish(Turn turn, Wish wish, string why) => turn.State = turn.State with { Wish = wish, WishReason = why };
}

/// <summary>How runs end. Whatever the end, the store knows it before any worker does.</summary>
internal static class Endings
{
    public static void Complete(Turn turn) => End(
        turn, RunCondition.Completed, $"completed {turn.State.Committed.Step} steps");

    public static void Stop(Turn turn) => End(
        turn, RunCondition.Stopped, $"stopped at step {turn.State.Committed.Step}: {turn.State.WishReason}");

    public static void Fail(Turn turn, string why) => End(turn, RunCondition.Failed, why);

    public static void Cancel(Turn turn, string why) => End(turn, RunCondition.Cancelled, why.Length == 0 ? "cancelled" : $"cancelled: {why}");

    /// <summary>The store is no longer ours: nothing is written and nobody is told, since another coordinator may drive the run.</summary>
    public static void Abandon(Turn turn, string why)
    {
        turn.State = turn.State with { Phase = new Ended(RunCondition.Failed) };
        turn.Because($"this coordinator lets go of the run: {why}");
        turn.Note(NoteKind.Warning, turn.State.Reason);
    }

    private static void End(Turn turn, RunCondition condition, string why)
    {
        turn.State = turn.State with { Phase = new Ended(condition) };
        turn.Because(why);
        turn.RecordProgress(condition);
        turn.Do(new EndRun(condition, why));
        foreach (var member in turn.State.Members.Values.OrderBy(m => m.Joined).ToImmutableArray())
            turn.Send(member, turn.State.Committed.Step, new RunEndedOrder(condition, why));
    }
}
