using AdderNet.Coordinator.Hosting;
using AdderNet.Coordinator.RunLogic;
using AdderNet.Coordinator.Store;
using AdderNet.Protos.Rpc;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace AdderNet.Coordinator;

/// <summary>A coordinator in this process: store, runs and gRPC service on one port, with /healthz and /readyz beside it.</summary>
public sealed class CoordinatorHost : ICoordinator
{
    /// <summary>How often leases and timers are looked at.</summary>
    private static readonly TimeSpan TickPeriod = TimeSpan.FromMilliseconds(50);

    private readonly IRunStore store;
    private readonly StoreLease lease;
    private readonly LocalRuns runs;
    private readonly RunCatalog catalog;
    private readonly LocalDoors doors;
    private readonly WorkerPool pool = new();
    private readonly TimeProvider time;
    private readonly ILogger log;
    private readonly CancellationTokenSource stop = new();
    private readonly TaskCompletionSource completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task ticking;
    private readonly Task guarding;
    private readonly Lock gate = new();
    private RpcServer? server;
    private Task? stopping;

    private CoordinatorHost(IRunStore store, StoreLease lease, LocalRuns runs, TimeProvider time, ILogger log)
    {
        this.store = store;
        this.lease = lease;
        this.runs = runs;
        catalog = new RunCatalog(store, runs, log);
        doors = new LocalDoors(runs, catalog);
        this.time = time;
        this.log = log;
        ticking = TickAsync();
        guarding = GuardAsync();
    }

    /// <inheritdoc/>
    public Uri Address => server!.Address;

    /// <inheritdoc/>
    public Task Completion => completion.Task;

    /// <summary>Opens the store, takes up the runs that were under way, and listens; a standby does so once the store is free.</summary>
    /// <exception cref="StoreException">The store cannot be used, or another coordinator holds it.</exception>
    /// <exception cref="RpcListenException">The address is not valid, taken or not this machine's.</exception>
    public static async Task<CoordinatorHost> StartAsync(CoordinatorOptions options, CancellationToken cancellationToken = default)
    {
        var loggers = options.Loggers ?? NullLoggerFactory.Instance;
        var log = loggers.CreateLogger(CoordinatorTelemetry.Name);
        var store = StoreAddress.Open(options.Store, options.Cluster, options.TimeProvider, options.StoreWatch);
        StoreLease lease;
        try
        {
            lease = await StoreLease.TakeAsync(store, LeaseOwner.ThisProcess(), options.StoreLease, options.Standby, options.TimeProvider, log, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await store.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        var sessions = new SessionTable(0, log);
        var runs = new LocalRuns(new RunActors(store, sessions, options.TimeProvider, log), lease);
        var host = new CoordinatorHost(store, lease, runs, options.TimeProvider, log);
        try
        {
            await host.catalog.LoadAsync(cancellationToken).ConfigureAwait(false);
            host.server = await CoordinatorServer.StartAsync(
                options,
                new CoordinationService(host.catalog, host.doors, host.pool, sessions, options.TimeProvider, log),
                () => !host.stop.IsCancellationRequested && lease.IsHeld,
                loggers,
                cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await host.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        CoordinatorLog.Started(log, host.Address, store.Name, ProcessOwner.Describe());
        return host;
    }

    /// <summary>
    /// Ends sessions and lets go of the store. Runs that are under way stay so: the next coordinator on the store goes on
    /// with them. Later calls await the first.
    /// </summary>
    public Task StopAsync()
    {
        lock (gate)
            return stopping ??= StopOnceAsync();
    }

    /// <summary>Stops as <see cref="StopAsync"/> does, and frees everything.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        if (server is not null)
            await server.DisposeAsync().ConfigureAwait(false);
        await store.DisposeAsync().ConfigureAwait(false);
        stop.Dispose();
    }

    private async Task StopOnceAsync()
    {
        if (server is not null)
            CoordinatorLog.Stopping(log, lease.Lost.IsCompletedSuccessfully ? await lease.Lost.ConfigureAwait(false) : "asked to");
        await stop.CancelAsync().ConfigureAwait(false);
        await ticking.ConfigureAwait(false);
        if (server is not null)
            await server.StopAsync().ConfigureAwait(false);
        await runs.DisposeAsync().ConfigureAwait(false);
        catalog.Dispose();
        await lease.DisposeAsync().ConfigureAwait(false);
        await guarding.ConfigureAwait(false);
        try
        {
            await store.ReleaseAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (StoreException e)
        {
            CoordinatorLog.LeaseNotRenewed(log, e.Message);
        }

        completion.TrySetResult();
    }

    private async Task TickAsync()
    {
        using var timer = new PeriodicTimer(TickPeriod, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop.Token).ConfigureAwait(false))
            {
                foreach (var run in runs.Actors.Where(a => !a.State.IsOver))
                    run.Post(new Tick());
                doors.Offer(pool);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    /// <summary>When the store is lost, every run is let go of at once: another coordinator may be driving it.</summary>
    private async Task GuardAsync()
    {
        await Task.WhenAny(lease.Lost, Task.Delay(Timeout.InfiniteTimeSpan, time, stop.Token)).ConfigureAwait(false);
        if (!lease.Lost.IsCompletedSuccessfully)
            return;
        var why = await lease.Lost.ConfigureAwait(false);
        foreach (var run in runs.Actors)
            run.Post(new StoreLost(why));
        completion.TrySetException(new FencingLostException(why));
    }
}
