using AdderNet.Coordinator.Hosting;
using AdderNet.Coordinator.RunLogic;
using AdderNet.Coordinator.Silos.Grains;
using AdderNet.Coordinator.Store;
using AdderNet.Protos.V1;

namespace AdderNet.Coordinator.Silos;

/// <summary>Runs driven by grains, at any silo of the cluster.</summary>
/// <param name="grains">Finds them.</param>
/// <param name="taken">Told of each run that is taken up, before it is; null: nobody is.</param>
internal sealed class GrainHomes(IGrainFactory grains, Func<string, Task>? taken) : IRunHomes
{
    public async Task<RunStatus?> FindAsync(string runId) =>
        await Of(runId).ViewAsync().Answered() is { } status ? RunStatus.Parser.ParseFrom(status) : null;

    public async Task TakeUpAsync(StoredRun run, bool underWay, CancellationToken cancellation)
    {
        if (taken is not null)
            await taken(run.RunId);
        await Of(run.RunId).TakeUpAsync(underWay).Answered();
    }

    public Task ControlAsync(string runId, ControlKind kind, CancellationToken cancellation) => Of(runId).ControlAsync(kind).Answered().WaitAsync(cancellation);

    public Task SettleAsync(string runId, CancellationToken cancellation) => Of(runId).SettleAsync().Answered().WaitAsync(cancellation);

    public Task DropAsync(string runId) => Of(runId).DropAsync().Answered();

    private IRunGrain Of(string runId) => grains.GetGrain<IRunGrain>(runId);
}
