using AdderNet.Coordinator.RunLogic;
using AdderNet.Protos.V1;

namespace AdderNet.Coordinator.Hosting;

/// <summary>A connected worker: at first in the pool, then with a run.</summary>
internal sealed class WorkerSeat(SessionLink link, WorkerInfo info)
{
    private readonly Lock gate = new();
    private RunActor? run;
    private bool left;

    public SessionLink Link { get; } = link;

    /// <summary>Hands the worker to a run; nothing when its session is over.</summary>
    public void Join(RunActor actor)
    {
        lock (gate)
        {
            if (left)
                return;
            run = actor;
            actor.Post(new MemberConnected(Link.WorkerId, Link.Id, info));
        }
    }

    /// <summary>Hands a message on to the worker's run; what comes before there is one says nothing.</summary>
    public void Receive(WorkerMessage message)
    {
        lock (gate)
        {
            if (run is not null && WorkerMessages.Event(Link.WorkerId, Link.Id, message) is { } @event)
                run.Post(@event);
        }
    }

    /// <summary>The session is over.</summary>
    public void Leave()
    {
        lock (gate)
        {
            left = true;
            run?.Post(new StreamClosed(Link.WorkerId, Link.Id));
        }
    }
}

/// <summary>Workers that asked for no particular run and wait until one wants them.</summary>
internal sealed class WorkerPool
{
    private readonly Lock gate = new();
    private readonly List<WorkerSeat> waiting = [];

    public void Add(WorkerSeat seat)
    {
        lock (gate)
            waiting.Add(seat);
    }

    public void Remove(WorkerSeat seat)
    {
        lock (gate)
            waiting.Remove(seat);
    }

    /// <summary>Gives waiting workers, longest first, to the runs that want some, oldest run first.</summary>
    public void Offer(IReadOnlyList<RunActor> runs)
    {
        lock (gate)
        {
            foreach (var run in runs)
            {
                var state = run.State;
                var free = Membership.Wants(state) ? state.Plan.Description.Elastic.MaxWorkers - state.Members.Count : 0;
                for (; free > 0 && waiting.Count > 0; free--)
                {
                    waiting[0].Join(run);
                    waiting.RemoveAt(0);
                }
            }
        }
    }
}
