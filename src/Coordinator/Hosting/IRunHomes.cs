using AdderNet.Coordinator.RunLogic;
using AdderNet.Coordinator.Store;
using AdderNet.Protos.V1;

namespace AdderNet.Coordinator.Hosting;

/// <summary>Where runs are driven: in this process, or by grains anywhere in a cluster.</summary>
internal interface IRunHomes
{
    /// <summary>The run as it stands where it is driven, or as it ended there; null: nobody drives it.</summary>
    Task<RunStatus?> FindAsync(string runId);

    /// <summary>Has a run driven from here on.</summary>
    /// <param name="run">The run, as the store holds it.</param>
    /// <param name="underWay">It was being driven when its coordinator ended: its members may come back.</param>
    /// <param name="cancellation">Ends the wait for the store.</param>
    Task TakeUpAsync(StoredRun run, bool underWay, CancellationToken cancellation);

    /// <summary>Asks a driven run for something, and waits until it has decided.</summary>
    Task ControlAsync(string runId, ControlKind kind, CancellationToken cancellation);

    /// <summary>Waits until a driven run has dealt with all that has come to it.</summary>
    Task SettleAsync(string runId, CancellationToken cancellation);

    /// <summary>Has a run driven no longer, until it is taken up again; nothing when nobody does.</summary>
    Task DropAsync(string runId);
}

/// <summary>A driven run as a worker's session sees it.</summary>
internal interface IRunDoor
{
    /// <summary>A worker came.</summary>
    void Connect(SessionLink link, Hello hello);

    /// <summary>It said something.</summary>
    void Receive(SessionLink link, WorkerMessage message);

    /// <summary>Its session is over.</summary>
    void Leave(SessionLink link);
}

/// <summary>The ways in to driven runs.</summary>
internal interface IRunDoors
{
    /// <summary>Hands a worker to the run that it asks for.</summary>
    /// <returns>False: nobody drives that run.</returns>
    Task<bool> TryJoinAsync(WorkerSeat seat, string runId, CancellationToken cancellation);
}

/// <summary>What people and workers ask of a coordinator; refusals are <see cref="RunRefusedException"/>.</summary>
internal interface IRunDesk
{
    /// <summary>Takes a run in: a new one, or one that its output directory already holds.</summary>
    /// <returns>Its id, and whether the directory held it.</returns>
    /// <exception cref="RunRefusedException">The description is wrong, or the directory holds a run of another identity.</exception>
    Task<(string RunId, bool Resumed)> SubmitAsync(string text, string initialWeights, int expectedWorkers, CancellationToken cancellation);

    /// <summary>The run of an id, or with an empty id the newest; driven or ended.</summary>
    /// <exception cref="RunRefusedException">There is none.</exception>
    Task<RunStatus> StatusAsync(string runId, CancellationToken cancellation);

    /// <summary>All runs, oldest first.</summary>
    Task<IReadOnlyList<RunStatus>> StatusesAsync(CancellationToken cancellation);

    /// <exception cref="RunRefusedException">The run is unknown or over, or the action is none.</exception>
    Task<RunStatus> ControlAsync(string runId, string action, CancellationToken cancellation);

    /// <summary>What has happened to a run.</summary>
    /// <exception cref="RunRefusedException">There is none of this id.</exception>
    Task<IEnumerable<HistoryEntry>> HistoryAsync(string runId, CancellationToken cancellation);
}
