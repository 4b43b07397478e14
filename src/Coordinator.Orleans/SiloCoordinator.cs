using System.Security.Cryptography;
using AdderNet.Coordinator.Hosting;
using AdderNet.Coordinator.Silos.Grains;
using AdderNet.Coordinator.Silos.Sessions;
using AdderNet.Coordinator.Store;
using AdderNet.Protos.Rpc;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace AdderNet.Coordinator.Silos;

/// <summary>
/// A coordinator as an Orleans silo with the gRPC service on it. Any silo answers any worker and any person; the run's grain
/// is at one of them.
/// </summary>
public sealed class SiloCoordinator : ICoordinator
{
    /// <summary>How often workers that wait are offered to runs.</summary>
    private static readonly TimeSpan OfferPeriod = TimeSpan.FromMilliseconds(50);

    /// <summary>How often the catalogue is asked to look after its runs.</summary>
    private static readonly TimeSpan AttendPeriod = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource stop = new();
    private readonly TaskCompletionSource completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly WorkerPool pool = new();
    private readonly Lock gate = new();
    private readonly CoordinatorOptions options;
    private readonly RunStore store;
    private readonly StoreLease lease;
    private readonly ILogger log;
    private IHost? silo;
    private RpcServer? server;
    private RunCatalog? catalog;
    private RelayTable? relays;
    private Task working = Task.CompletedTask;
    private Task? stopping;

    private SiloCoordinator(CoordinatorOptions options, RunStore store, StoreLease lease, ILogger log)
    {
        (this.options, this.store, this.lease, this.log) = (options, store, lease, log);
    }

    /// <inheritdoc/>
    public Uri Address => server!.Address;

    /// <inheritdoc/>
    public Task Completion => completion.Task;

    /// <summary>Joins the store's cluster as one more silo, or as its only one where the store is a file, and listens.</summary>
    /// <exception cref="StoreException">The store cannot be used, or another coordinator holds it.</exception>
    /// <exception cref="RpcListenException">The address is not valid, taken or not this machine's.</exception>
    public static async Task<SiloCoordinator> StartAsync(CoordinatorOptions options, CancellationToken cancellationToken = default)
    {
        var loggers = options.Loggers ?? NullLoggerFactory.Instance;
        var log = loggers.CreateLogger(CoordinatorTelemetry.Name);
        var database = StoreAddress.OpenDatabase(options.Store, options.TimeProvider, options.StoreWatch);
        var store = new RunStore(database, options.Cluster);
        StoreLease lease;
        try
        {
            var owner = StoreAddress.IsShared(options.Store) ? LeaseOwner.SilosOf(options.Cluster) : LeaseOwner.ThisProcess();
            lease = await StoreLease.TakeAsync(store, owner, options.StoreLease, options.Standby, options.TimeProvider, log, cancellationToken);
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }

        var coordinator = new SiloCoordinator(options, store, lease, log);
        try
        {
            await coordinator.StartAsync(database, loggers, cancellationToken);
        }
        catch
        {
            await coordinator.DisposeAsync();
            throw;
        }

        return coordinator;
    }

    /// <inheritdoc/>
    public Task StopAsync()
    {
        lock (gate)
            return stopping ??= StopOnceAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        if (server is not null)
            await server.DisposeAsync();
        silo?.Dispose();
        await store.DisposeAsync();
        stop.Dispose();
    }

    private async Task StartAsync(IStoreDatabase database, ILoggerFactory loggers, CancellationToken cancellation)
    {
        var fatality = new SiloFatality(log);
        silo = SiloBuilding.Build(options, new SiloServices(store, options.StoreLease, options.TimeProvider, log), database, fatality, loggers);
        await silo.StartAsync(cancellation);
        var grains = silo.Services.GetRequiredService<IGrainFactory>();
        // Numbers of sessions are unlike those of any other silo, by a random beginning.
        var sessions = new SessionTable((long)RandomNumberGenerator.GetInt32(1, int.MaxValue) << 32, log);
        var door = new SiloDoor(sessions);
        relays = new RelayTable(grains, grains.CreateObjectReference<ISiloDoor>(door), log);
        GC.KeepAlive(door);
        catalog = new RunCatalog(store, new GrainHomes(grains, taken: null), log);
        await grains.GetGrain<ICatalogGrain>(0).AttendAsync().WaitAsync(cancellation);
        server = await CoordinatorServer.StartAsync(
            options,
            new CoordinationService(new ClusterDesk(grains, catalog), relays, pool, sessions, options.TimeProvider, log),
            () => !stop.IsCancellationRequested && lease.IsHeld,
            loggers,
            cancellation);
        CoordinatorLog.Started(log, Address, store.Name, ProcessOwner.Describe());
        working = Task.WhenAll(AttendAsync(grains), OfferAsync(grains, relays), GuardAsync(fatality, door));
    }

    private async Task StopOnceAsync()
    {
        if (server is not null)
            CoordinatorLog.Stopping(log, lease.Lost.IsCompletedSuccessfully ? await lease.Lost : "asked to");
        await stop.CancelAsync();
        if (server is not null)
            await server.StopAsync();
        await working;
        if (silo is not null)
            await silo.StopAsync();
        if (relays is not null)
            await relays.DisposeAsync();
        catalog?.Dispose();
        await lease.DisposeAsync();
        if (!StoreAddress.IsShared(options.Store))
        {
            try
            {
                await store.ReleaseAsync(CancellationToken.None);
            }
            catch (StoreException e)
            {
                CoordinatorLog.LeaseNotRenewed(log, e.Message);
            }
        }

        completion.TrySetResult();
    }

    /// <summary>Has the catalogue look after the runs, wherever it is; when its silo ended this brings it up elsewhere.</summary>
    private async Task AttendAsync(IGrainFactory grains)
    {
        await foreach (var _ in EveryAsync(AttendPeriod))
            await TryAsync(() => grains.GetGrain<ICatalogGrain>(0).AttendAsync());
    }

    private async Task OfferAsync(IGrainFactory grains, RelayTable doors)
    {
        await foreach (var _ in EveryAsync(OfferPeriod))
        {
            if (pool.Count == 0)
                continue;
            await TryAsync(async () =>
            {
                foreach (var places in (await grains.GetGrain<ICatalogGrain>(0).PlaceAsync(pool.Count)).CountBy(run => run))
                    pool.Offer(doors.Of(places.Key), places.Value);
            });
        }
    }

    private async Task TryAsync(Func<Task> ask)
    {
        try
        {
            await ask().WaitAsync(stop.Token);
        }
        catch (Exception e) when (!stop.IsCancellationRequested)
        {
            SiloLog.CatalogNotReached(log, e.Message.ReplaceLineEndings(" "));
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async IAsyncEnumerable<bool> EveryAsync(TimeSpan period)
    {
        using var timer = new PeriodicTimer(period, options.TimeProvider);
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await timer.WaitForNextTickAsync(stop.Token);
            }
            catch (OperationCanceledException)
            {
                yield break;
            }

            yield return true;
        }
    }

    /// <summary>When the store is lost, or the other silos take this one for dead, it can drive nothing any longer.</summary>
    private async Task GuardAsync(SiloFatality fatality, SiloDoor door)
    {
        await Task.WhenAny(lease.Lost, fatality.Happened, Task.Delay(Timeout.InfiniteTimeSpan, options.TimeProvider, stop.Token));
        if (lease.Lost.IsCompletedSuccessfully)
            completion.TrySetException(new FencingLostException(await lease.Lost));
        else if (fatality.Happened.IsCompletedSuccessfully)
            completion.TrySetException(new StoreException($"this silo can drive no run any longer: {await fatality.Happened}"));
        GC.KeepAlive(door); // grains reach it by a weak reference
    }
}
