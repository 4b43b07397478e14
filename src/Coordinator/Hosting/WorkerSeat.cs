using AdderNet.Protos.V1;

namespace AdderNet.Coordinator.Hosting;

/// <summary>A connected worker: at first in the pool, then with a run.</summary>
internal sealed class WorkerSeat(SessionLink link, Hello hello)
{
    private readonly Lock gate = new();
    private IRunDoor? run;
    private bool left;

    public SessionLink Link { get; } = link;

    /// <summary>Hands the worker to a run; nothing when its session is over.</summary>
    public void Join(IRunDoor door)
    {
        lock (gate)
        {
            if (left)
                return;
            run = door;
            door.Connect(Link, hello);
        }
    }

    /// <summary>Hands a message on to the worker's run; what comes before there is one says nothing.</summary>
    public void Receive(WorkerMessage message)
    {
        lock (gate)
            run?.Receive(Link, message);
    }

    /// <summary>The session is over.</summary>
    public void Leave()
    {
        lock (gate)
        {
            left = true;
            run?.Leave(Link);
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

    /// <summary>How many wait.</summary>
    public int Count
    {
        get
        {
            lock (gate)
                return waiting.Count;
        }
    }

    /// <summary>Gives up to <paramref name="free"/> waiting workers, longest first, to a run.</summary>
    public void Offer(IRunDoor run, int free)
    {
        lock (gate)
        {
            for (; free > 0 && waiting.Count > 0; free--)
            {
                waiting[0].Join(run);
                waiting.RemoveAt(0);
            }
        }
    }
}
