using AdderNet.Simulation.Network;
using AdderNet.Simulation.Time;

namespace AdderNet.Simulation.Processes;

/// <summary>A process on a machine: it does things until it dies, and what falls due while it is stopped happens when it goes on.</summary>
internal class SimulatedProcess(Timeline time, string name, string machine)
{
    private readonly Queue<Action> missed = new();
    private long stops;

    /// <summary>What people call it.</summary>
    public string Name => name;

    /// <summary>Links are between machines.</summary>
    public string Machine => machine;

    public bool IsAlive { get; private set; } = true;

    public bool IsStopped { get; private set; }

    /// <summary>Its machine went with it.</summary>
    public bool Vanished { get; private set; }

    /// <summary>When a fault last touched it or its links; null: never.</summary>
    public TimeSpan? DisturbedAt { get; private set; }

    public List<Connection> Connections { get; } = [];

    /// <summary>Plans something of this process's own.</summary>
    public void In(TimeSpan after, Action happening) => time.In(after, () => Do(happening));

    /// <summary>Does something now, or when the process goes on; never once it is dead.</summary>
    public void Do(Action happening)
    {
        if (!IsAlive)
            return;
        if (IsStopped)
            missed.Enqueue(happening);
        else
            happening();
    }

    public void Disturb() => DisturbedAt = time.Now;

    /// <summary>SIGSTOP. Clients whose pings it leaves unanswered give their connections up.</summary>
    public void Stop()
    {
        IsStopped = true;
        var stop = ++stops;
        time.In(SimulatedNetwork.KeepAlive, () =>
        {
            if (!IsAlive || !IsStopped || stop != stops)
                return;
            foreach (var connection in Connections.Where(c => c.IsServedBy(this)).ToList())
                connection.Break();
        });
    }

    /// <summary>SIGCONT: what was missed happens now, in order.</summary>
    public void Continue()
    {
        IsStopped = false;
        while (IsAlive && !IsStopped && missed.TryDequeue(out var happening))
            happening();
    }

    /// <summary>The process ends at once, by kill -9 or by itself.</summary>
    /// <param name="vanishes">Its machine goes with it: nobody hears connections close.</param>
    public void Die(bool vanishes = false)
    {
        if (!IsAlive)
            return;
        (IsAlive, Vanished) = (false, vanishes);
        missed.Clear();
        foreach (var connection in Connections.ToList())
            connection.Break(vanishes ? this : null);
        OnDeath();
    }

    /// <summary>What goes with the process.</summary>
    protected virtual void OnDeath()
    {
    }
}
