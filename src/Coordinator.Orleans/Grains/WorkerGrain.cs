using AdderNet.Coordinator.Silos.Sessions;
using AdderNet.Protos.V1;

namespace AdderNet.Coordinator.Silos.Grains;

/// <summary>One worker, by its id: what it can do, which run it serves, and which of its sessions counts.</summary>
internal interface IWorkerGrain : IGrainWithStringKey
{
    /// <summary>The worker came to a run over a session: one that it left open at any silo is ended.</summary>
    /// <param name="runId">The run.</param>
    /// <param name="session">Its number.</param>
    /// <param name="door">The silo that holds it.</param>
    /// <param name="hello">What the worker says of itself, in protobuf.</param>
    Task CameAsync(string runId, long session, ISiloDoor door, byte[] hello);

    /// <summary>Its session is over.</summary>
    Task GoneAsync(long session);

    /// <summary>The run that it serves has moved: its session is ended, so that it comes again.</summary>
    Task ComeAgainAsync(string runId);

    /// <summary>Its run has measured it.</summary>
    /// <param name="secondsPerShard">Smoothed.</param>
    Task MeasuredAsync(double secondsPerShard);

    /// <summary>What is known of it.</summary>
    Task<WorkerGrainState> ViewAsync();
}

/// <summary>What is kept of a worker.</summary>
[GenerateSerializer]
internal sealed class WorkerGrainState
{
    /// <summary>The run that it serves, or served last; empty: none.</summary>
    [Id(0)]
    public string RunId { get; set; } = "";

    /// <summary>The session that it holds; 0: none. It is the worker's lease: whoever opens a later one holds the worker.</summary>
    [Id(1)]
    public long Session { get; set; }

    [Id(2)]
    public string Build { get; set; } = "";

    [Id(3)]
    public string Engine { get; set; } = "";

    [Id(4)]
    public int Threads { get; set; }

    [Id(5)]
    public string Host { get; set; } = "";

    /// <summary>Where other workers reach it.</summary>
    [Id(6)]
    public string Address { get; set; } = "";

    /// <summary>As its last run measured it; 0: not yet.</summary>
    [Id(7)]
    public double SecondsPerShard { get; set; }
}

/// <inheritdoc cref="IWorkerGrain"/>
[Orleans.Placement.PreferLocalPlacement]
internal sealed class WorkerGrain([PersistentState("worker", SiloServices.GrainStates)] IPersistentState<WorkerGrainState> memory) : Grain, IWorkerGrain
{
    /// <summary>The silo of <see cref="WorkerGrainState.Session"/>; null: it was before this activation.</summary>
    private ISiloDoor? holder;

    public async Task CameAsync(string runId, long session, ISiloDoor door, byte[] hello)
    {
        var known = memory.State;
        if (known.Session != 0 && known.Session != session)
            holder?.EndAsync(known.Session).Ignore();
        holder = door;
        var said = Hello.Parser.ParseFrom(hello);
        (known.RunId, known.Session) = (runId, session);
        (known.Build, known.Engine, known.Threads) = (said.Build, said.Engine, (int)said.Threads);
        (known.Host, known.Address) = (said.Host, said.Address);
        await memory.WriteStateAsync();
    }

    public async Task GoneAsync(long session)
    {
        if (memory.State.Session != session)
            return;
        memory.State.Session = 0;
        holder = null;
        await memory.WriteStateAsync();
    }

    public Task ComeAgainAsync(string runId)
    {
        if (memory.State.Session != 0 && memory.State.RunId == runId)
            holder?.EndAsync(memory.State.Session).Ignore();
        return Task.CompletedTask;
    }

    public Task MeasuredAsync(double secondsPerShard)
    {
        memory.State.SecondsPerShard = secondsPerShard;
        return Task.CompletedTask;
    }

    public Task<WorkerGrainState> ViewAsync() => Task.FromResult(memory.State);
}
