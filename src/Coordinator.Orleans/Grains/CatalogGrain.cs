using AdderNet.Coordinator.Hosting;
using AdderNet.Protos.Rpc;
using Orleans.Concurrency;
using Orleans.Placement;

namespace AdderNet.Coordinator.Silos.Grains;

/// <summary>The catalogue of a cluster's runs: takes them in, and sees that each one under way has a grain that drives it.</summary>
internal interface ICatalogGrain : IGrainWithIntegerKey
{
    /// <summary>Takes a run in.</summary>
    Task<SubmitAnswer> SubmitAsync(string description, string initialWeights, int expectedWorkers);

    /// <summary>Looks after every run that is under way: one whose silo ended is taken up elsewhere.</summary>
    Task AttendAsync();

    /// <summary>Finds runs for workers that wait for one.</summary>
    /// <param name="workers">How many wait.</param>
    /// <returns>For so many of them, the run each may go to, oldest runs first.</returns>
    Task<string[]> PlaceAsync(int workers);
}

/// <summary>How a submission was answered.</summary>
/// <param name="RunId">The run.</param>
/// <param name="Resumed">Whether the directory held it.</param>
/// <param name="Refused">Why it was refused; null: it was not.</param>
/// <param name="Why">One line.</param>
[GenerateSerializer, Immutable]
internal sealed record SubmitAnswer(
    [property: Id(0)] string RunId, [property: Id(1)] bool Resumed, [property: Id(2)] RefusalKind? Refused, [property: Id(3)] string Why);

/// <summary>What is kept of the catalogue beside what the store holds.</summary>
[GenerateSerializer]
internal sealed class CatalogGrainState
{
    /// <summary>Runs under way, in the order in which they were taken up.</summary>
    [Id(0)]
    public List<string> UnderWay { get; set; } = [];
}

/// <inheritdoc cref="ICatalogGrain"/>
[Reentrant]
[PreferLocalPlacement]
internal sealed class CatalogGrain : Grain, ICatalogGrain, IDisposable
{
    private readonly IPersistentState<CatalogGrainState> memory;
    private readonly RunCatalog catalog;
    private readonly SemaphoreSlim writing = new(1, 1);
    private TaskScheduler? turns;
    private Task? attending;
    private bool loaded;
    private long taken;

    public CatalogGrain([PersistentState("catalog", SiloServices.GrainStates)] IPersistentState<CatalogGrainState> memory, SiloServices silo)
    {
        this.memory = memory;
        catalog = new RunCatalog(silo.Store, new GrainHomes(GrainFactory, RememberAsync), silo.Log);
    }

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        turns = TaskScheduler.Current;
        return base.OnActivateAsync(cancellationToken);
    }

    public async Task<SubmitAnswer> SubmitAsync(string description, string initialWeights, int expectedWorkers)
    {
        try
        {
            var (runId, resumed) = await catalog.SubmitAsync(description, initialWeights, expectedWorkers, CancellationToken.None);
            return new SubmitAnswer(runId, resumed, null, "");
        }
        catch (RunRefusedException e)
        {
            return new SubmitAnswer("", false, e.Kind, e.Message);
        }
        catch (RpcException e)
        {
            throw new TimeoutException(e.Message); // what can be told between silos
        }
    }

    /// <summary>Every silo asks for this; once at a time is enough.</summary>
    public async Task AttendAsync()
    {
        if (attending is { IsCompleted: false })
            return;
        await (attending = AttendOnceAsync());
    }

    public async Task<string[]> PlaceAsync(int workers)
    {
        var places = new List<string>();
        foreach (var run in memory.State.UnderWay.ToArray())
        {
            if (places.Count == workers)
                break;
            var wanted = await GrainFactory.GetGrain<IRunGrain>(run).ReserveAsync(workers - places.Count);
            places.AddRange(Enumerable.Repeat(run, wanted));
        }

        return [.. places];
    }

    public void Dispose()
    {
        catalog.Dispose();
        writing.Dispose();
    }

    private async Task AttendOnceAsync()
    {
        if (!loaded)
            await catalog.LoadAsync(CancellationToken.None);
        loaded = true;
        var (runs, before) = (memory.State.UnderWay.ToArray(), taken);
        var driven = await Task.WhenAll(runs.Select(run => GrainFactory.GetGrain<IRunGrain>(run).AttendAsync()));
        var over = runs.Where((_, index) => !driven[index]).ToArray();
        // One that was submitted again meanwhile is not over: the next look shows.
        if (over.Length > 0 && before == taken)
            await WriteAsync(underWay => underWay.RemoveAll(over.Contains));
    }

    /// <summary>The catalogue's rules leave this grain's scheduler; what is kept is only changed on it.</summary>
    private Task RememberAsync(string runId) => Task.Factory.StartNew(
        () => WriteAsync(underWay =>
        {
            taken++;
            underWay.Remove(runId);
            underWay.Add(runId);
        }),
        CancellationToken.None,
        TaskCreationOptions.None,
        turns!).Unwrap();

    private async Task WriteAsync(Action<List<string>> change)
    {
        await writing.WaitAsync();
        try
        {
            change(memory.State.UnderWay);
            await memory.WriteStateAsync();
        }
        finally
        {
            writing.Release();
        }
    }
}
