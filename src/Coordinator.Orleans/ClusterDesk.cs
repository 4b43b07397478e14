using AdderNet.Coordinator.Hosting;
using AdderNet.Coordinator.Silos.Grains;
using AdderNet.Coordinator.Store;
using AdderNet.Protos.V1;

namespace AdderNet.Coordinator.Silos;

/// <summary>What any silo answers: submissions go to the one catalogue, the rest is asked of the run's grain and the store.</summary>
internal sealed class ClusterDesk(IGrainFactory grains, RunCatalog catalog) : IRunDesk
{
    public async Task<(string RunId, bool Resumed)> SubmitAsync(string text, string initialWeights, int expectedWorkers, CancellationToken cancellation)
    {
        var answer = await grains.GetGrain<ICatalogGrain>(0).SubmitAsync(text, initialWeights, expectedWorkers).Answered().WaitAsync(cancellation);
        return answer.Refused is { } kind ? throw new RunRefusedException(kind, answer.Why) : (answer.RunId, answer.Resumed);
    }

    public Task<RunStatus> StatusAsync(string runId, CancellationToken cancellation) => catalog.StatusAsync(runId, cancellation);

    public Task<IReadOnlyList<RunStatus>> StatusesAsync(CancellationToken cancellation) => catalog.StatusesAsync(cancellation);

    public Task<RunStatus> ControlAsync(string runId, string action, CancellationToken cancellation) => catalog.ControlAsync(runId, action, cancellation);

    public Task<IEnumerable<HistoryEntry>> HistoryAsync(string runId, CancellationToken cancellation) => catalog.HistoryAsync(runId, cancellation);
}
