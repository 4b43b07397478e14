namespace AdderNet.Worker.Membership;

/// <summary>Leaving gracefully: the member works on until the others have taken over, for a bounded time.</summary>
internal static class Departures
{
    public const string Asked = "asked to leave";

    public static void Ask(MemberTurn turn, LeaveAsked asked)
    {
        var state = turn.State;
        if (state.Leaving is not null || state.View is null || state.Observes)
        {
            // Nobody counts on it, or it was asked a second time.
            turn.Finish(failed: false, asked.Why);
            return;
        }

        turn.Because($"{asked.Why}: works on until it is released, {MemberMachine.Grace.TotalSeconds:0} s at most");
        turn.State = state with { Leaving = new Departure(asked.Why, turn.Now + MemberMachine.Grace) };
        turn.Tell(state.AppliedStep, new LeaveReport(asked.Why));
    }

    public static void SessionLost(MemberTurn turn, SessionLost lost)
    {
        turn.Because($"the session is lost: {lost.Why}");
        if (turn.State.Leaving is not { } leaving)
            return;
        var until = turn.Now + MemberMachine.GraceWithoutSession;
        turn.State = turn.State with { Leaving = leaving with { Until = until < leaving.Until ? until : leaving.Until } };
    }

    public static void Check(MemberTurn turn)
    {
        if (turn.State.Leaving is { } leaving && turn.Now >= leaving.Until)
            turn.Finish(failed: false, $"{leaving.Why}, and nobody has released it");
    }
}
