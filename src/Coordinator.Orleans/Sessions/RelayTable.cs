using System.Collections.Concurrent;
using AdderNet.Coordinator.Hosting;
using AdderNet.Coordinator.Silos.Grains;
using Microsoft.Extensions.Logging;

namespace AdderNet.Coordinator.Silos.Sessions;

/// <summary>This silo's ways in to the runs that any silo drives.</summary>
internal sealed class RelayTable(IGrainFactory grains, ISiloDoor door, ILogger log) : IRunDoors, IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<RunRelay>> relays = new();

    public async Task<bool> TryJoinAsync(WorkerSeat seat, string runId, CancellationToken cancellation)
    {
        if (await grains.GetGrain<IRunGrain>(runId).ViewAsync().Answered().WaitAsync(cancellation) is null)
            return false;
        seat.Join(Of(runId));
        return true;
    }

    /// <summary>The way in to a run that is driven.</summary>
    public RunRelay Of(string runId) =>
        relays.GetOrAdd(runId, id => new Lazy<RunRelay>(() => new RunRelay(grains.GetGrain<IRunGrain>(id), door, log))).Value;

    public async ValueTask DisposeAsync()
    {
        foreach (var relay in relays.Values)
            await relay.Value.DisposeAsync();
    }
}
