using AdderNet.Coordinator.Output;
using AdderNet.Coordinator.RunLogic;
using AdderNet.Coordinator.Store;
using AdderNet.Protos.V1;
using Microsoft.Extensions.Logging;

namespace AdderNet.Coordinator.Hosting;

/// <summary>Makes what drives a run: its plan and what is remembered of it, in one actor.</summary>
internal sealed class RunActors(IRunStore store, ISessionSender sessions, TimeProvider time, ILogger log)
{
    private readonly RunLoader loader = new(store, log);

    /// <summary>Loads a run and drives it from where it is.</summary>
    /// <param name="run">The run.</param>
    /// <param name="lease">Without it nothing is decided.</param>
    /// <param name="underWay">It was being driven when its coordinator ended: its members may come back.</param>
    /// <param name="cancellation">Ends the wait for the store.</param>
    public async Task<RunActor> StartAsync(StoredRun run, StoreLease lease, bool underWay, CancellationToken cancellation)
    {
        var plan = RunLoader.Plan(run);
        var memory = await loader.LoadAsync(run, underWay, cancellation).ConfigureAwait(false);
        plan = plan with { ReachToken = RunDirectory.TakeToken(plan.Output) };
        var actor = new RunActor(plan, memory, lease, post => new RunExecutor(plan, store, sessions, post, time, log), time, log);
        CoordinatorLog.RunTakenUp(log, plan.RunId, actor.State.Committed.Step, plan.Output);
        return actor;
    }
}

/// <summary>The runs that this process drives.</summary>
internal sealed class LocalRuns(RunActors make, StoreLease lease) : IRunHomes, IAsyncDisposable
{
    private readonly SortedDictionary<long, RunActor> actors = []; // by order of being taken up
    private readonly Lock gate = new();
    private long taken;

    public IReadOnlyList<RunActor> Actors
    {
        get
        {
            lock (gate)
                return [.. actors.Values];
        }
    }

    public Task<RunStatus?> FindAsync(string runId) => Task.FromResult(Find(runId) is { } actor ? StatusMessages.Of(actor.State) : null);

    public RunActor? Find(string runId) => Actors.LastOrDefault(a => a.State.Plan.RunId == runId);

    public async Task TakeUpAsync(StoredRun run, bool underWay, CancellationToken cancellation)
    {
        var actor = await make.StartAsync(run, lease, underWay, cancellation).ConfigureAwait(false);
        lock (gate)
            actors[++taken] = actor;
    }

    public Task ControlAsync(string runId, ControlKind kind, CancellationToken cancellation) =>
        Find(runId)?.PostAndWaitAsync(new ControlAsked(kind, "asked for"), cancellation) ?? Task.CompletedTask;

    public Task SettleAsync(string runId, CancellationToken cancellation) =>
        Find(runId)?.PostAndWaitAsync(new Tick(), cancellation) ?? Task.CompletedTask;

    public async Task DropAsync(string runId)
    {
        if (Find(runId) is not { } actor)
            return;
        lock (gate)
            actors.Remove(actors.First(a => a.Value == actor).Key);
        await actor.DisposeAsync().ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var actor in Actors)
            await actor.DisposeAsync().ConfigureAwait(false);
    }
}
