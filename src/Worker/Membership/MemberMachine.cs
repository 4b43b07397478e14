namespace AdderNet.Worker.Membership;

/// <summary>
/// A worker of a run as a pure function: the next state, what to do, and why, from the present state, one event and the
/// time. No I/O, no clock, no hidden state, so that a simulation drives the very decisions that processes make.
/// </summary>
internal static class MemberMachine
{
    /// <summary>Orders held at most; one more, and everything held is dropped and the coordinator told what this member holds.</summary>
    public const int MostEarly = 16;

    /// <summary>Means that an observer holds at most before it starts over.</summary>
    public const int MostHeldSteps = 8;

    /// <summary>Files written in the background at a time: each needs a copy of the state.</summary>
    public const int MostFiles = 3;

    /// <summary>A worker that was asked to leave waits so long for others to take over.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    /// <summary>The same once there is no coordinator to release it.</summary>
    public static readonly TimeSpan GraceWithoutSession = TimeSpan.FromSeconds(3);

    /// <param name="state">The present state.</param>
    /// <param name="event">What happened.</param>
    /// <param name="now">Monotonic time; never earlier than in the call before.</param>
    public static MemberDecision Apply(MemberState state, MemberEvent @event, TimeSpan now)
    {
        var turn = new MemberTurn(state, now);
        if (state.IsFinished)
            turn.Because("the run is over for this worker");
        else
            Handle(turn, @event);
        return turn.Decide();
    }

    private static void Handle(MemberTurn turn, MemberEvent @event)
    {
        switch (@event)
        {
            case Began:
                Reporting.Report(turn, "prepared");
                break;
            case OrderArrived arrived:
                Orders.Take(turn, arrived.Order);
                break;
            case WorkEvent work:
                WorkEnds.Take(turn, work);
                break;
            case FileWritten written:
                Files.Written(turn, written);
                break;
            case FileFailed failed:
                Files.Failed(turn, failed);
                break;
            case MeanTaken taken:
                Observing.Taken(turn, taken);
                break;
            case MeanMissed missed:
                Observing.Missed(turn, missed);
                break;
            case SessionLost lost:
                Departures.SessionLost(turn, lost);
                break;
            case SessionGivenUp given:
                turn.Finish(turn.State.Leaving is null, given.Why);
                break;
            case LeaveAsked asked:
                Departures.Ask(turn, asked);
                break;
            case Tick:
                Departures.Check(turn);
                break;
        }
    }
}
