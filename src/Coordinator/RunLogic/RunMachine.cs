namespace AdderNet.Coordinator.RunLogic;

/// <summary>
/// The run as a pure function: the next state, what to do, and why, from the present state, one event and the time.
/// No I/O, no clock, no hidden state: the same events at the same times give the same decisions.
/// </summary>
internal static class RunMachine
{
    /// <param name="state">The present state.</param>
    /// <param name="event">What happened.</param>
    /// <param name="now">Monotonic time; never earlier than in the call before.</param>
    public static Decision Apply(RunState state, RunEvent @event, TimeSpan now)
    {
        var turn = new Turn(state, now);
        if (state.IsOver)
            AfterTheEnd(turn, @event);
        else if (@event is not MemberEvent from)
            HandleOther(turn, @event);
        else if (!state.Members.TryGetValue(from.WorkerId, out var member))
            Membership.Unknown(turn, from);
        else if (member.Session != from.Session)
            turn.Note(NoteKind.StaleMessage, $"{from.GetType().Name} of {from.WorkerId} came over a session that is no longer its own");
        else
            HandleMember(turn, Membership.Heard(turn, member), from);
        return turn.Decide();
    }

    private static void HandleOther(Turn turn, RunEvent @event)
    {
        switch (@event)
        {
            case MemberConnected connected:
                Membership.Connect(turn, connected);
                break;
            case GenerationGranted granted:
                Generations.Granted(turn, granted.Number);
                break;
            case CheckpointVerified verified:
                Checkpoints.Verified(turn, verified);
                break;
            case ControlAsked asked:
                Controls.Ask(turn, asked);
                break;
            case StoreLost lost:
                Endings.Abandon(turn, lost.Why);
                break;
            case HostFailed failed:
                Endings.Fail(turn, failed.Why);
                break;
            case Tick:
                Membership.Forgive(turn);
                Membership.Expire(turn);
                Checkpoints.Expire(turn);
                Generations.TryPropose(turn);
                break;
        }
    }

    private static void HandleMember(Turn turn, MemberState member, MemberEvent @event)
    {
        switch (@event)
        {
            case MemberPrepared prepared:
                Membership.Prepare(turn, member, prepared);
                break;
            case MemberBeat beat:
                Membership.Beat(turn, member, beat);
                break;
            case StreamClosed:
                turn.Update(member with { ClosedAt = turn.Now });
                break;
            case MemberLeft left:
                Membership.Remove(turn, member, $"left: {left.Why()}");
                break;
            case MemberLeaves leaves:
                Departures.Ask(turn, member, leaves);
                break;
            case CheckpointWritten written:
                Checkpoints.Written(turn, member, written);
                break;
            case FileFailed failed:
                Checkpoints.NotWritten(turn, member, failed);
                break;
            case MemberInPosition late when late.Generation == turn.State.Generation?.Number && turn.State.Phase is Gathering or Proposing:
                Generations.InPositionLate(turn, member, late);
                break;
            case PhaseEvent stale when stale.Generation != turn.State.Generation?.Number || turn.State.Phase is Gathering or Proposing:
                turn.Note(
                    NoteKind.StaleMessage,
                    $"{stale.GetType().Name} of {member.WorkerId} belongs to generation {stale.Generation}, step {stale.Step}; the run is at generation {turn.State.Generation?.Number ?? 0}");
                break;
            case MemberInPosition inPosition:
                Generations.InPosition(turn, member, inPosition);
                break;
            case MemberVoted voted:
                Steps.Vote(turn, member, voted);
                break;
            case EvaluationAnswered answered:
                Evaluations.Answer(turn, member, answered);
                break;
            case MemberFollows follows:
                Observers.Followed(turn, member, follows);
                break;
            case PhaseFailed failed:
                Retrying.Failed(turn, member, failed);
                break;
        }
    }

    /// <summary>A worker that comes back to a run that is over is told so; anything else no longer matters.</summary>
    private static void AfterTheEnd(Turn turn, RunEvent @event)
    {
        if (@event is MemberConnected connected && turn.State.Phase is Ended ended)
        {
            turn.Do(new Send(
                connected.WorkerId, connected.Session, turn.State.Generation?.Number ?? 0, turn.State.Committed.Step,
                new RunEndedOrder(ended.Condition, turn.State.Reason)));
        }
    }

    private static string Why(this MemberLeft left) => left.Reason.Length == 0 ? "it gave no reason" : left.Reason;
}
