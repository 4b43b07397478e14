using AdderNet.Coordinator.Hosting;
using AdderNet.Coordinator.RunLogic;
using AdderNet.Coordinator.Silos.Sessions;
using AdderNet.Coordinator.Store;

namespace AdderNet.Coordinator.Silos.Grains;

/// <summary>What a run's grain holds while it drives: the run's lease, its actor and its sessions.</summary>
internal sealed class RunDriver : IAsyncDisposable
{
    private readonly RunStore store;
    private readonly StoreLease lease;

    private RunDriver(RunStore store, StoreLease lease, RunActor actor, GrainSessions sessions)
    {
        (this.store, this.lease) = (store, lease);
        (Actor, Sessions) = (actor, sessions);
    }

    public RunActor Actor { get; }

    public GrainSessions Sessions { get; }

    /// <summary>Why another activation may be driving the run; null: none is.</summary>
    public string? Lost => lease.Lost.IsCompletedSuccessfully ? lease.Lost.Result : null;

    /// <summary>Takes the run's lease, waiting for one whose holder may still live, and drives the run.</summary>
    /// <returns>Null: the run is over.</returns>
    public static async Task<RunDriver?> StartAsync(SiloServices silo, string runId, bool underWay)
    {
        if (await FindAsync(silo.Store, runId) is null)
            return null;
        var store = silo.Store.Of(runId);
        var lease = await StoreLease.TakeAsync(
            store, LeaseOwner.ThisProcess(), silo.LeaseDuration, standby: true, silo.Time, silo.Log, CancellationToken.None);
        try
        {
            // Who held it before may have ended the run, or brought it further.
            if (await FindAsync(store, runId) is { } run)
            {
                RunActor? actor = null;
                var sessions = new GrainSessions((session, worker) => actor?.Post(new StreamClosed(worker, session)), silo.Time);
                actor = await new RunActors(store, sessions, silo.Time, silo.Log).StartAsync(run, lease, underWay, CancellationToken.None);
                return new RunDriver(store, lease, actor, sessions);
            }
        }
        catch
        {
            await EndAsync(store, lease);
            throw;
        }

        await EndAsync(store, lease);
        return null;
    }

    /// <summary>Stops driving and leaves the run in the store as it stands.</summary>
    public async ValueTask DisposeAsync()
    {
        await Actor.DisposeAsync();
        await Sessions.DisposeAsync();
        await EndAsync(store, lease);
    }

    private static async Task<StoredRun?> FindAsync(RunStore store, string runId) =>
        (await store.ListRunsAsync(CancellationToken.None)).FirstOrDefault(r => r.RunId == runId && r.IsActive);

    private static async Task EndAsync(RunStore store, StoreLease lease)
    {
        await lease.DisposeAsync();
        try
        {
            await store.ReleaseAsync(CancellationToken.None);
        }
        catch (StoreException)
        {
            // Then it runs out.
        }
    }
}
