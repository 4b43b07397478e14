namespace AdderNet.Coordinator.Hosting;

/// <summary>
/// The ways in to the runs that this process drives. No submission replaces a run while a worker is handed to it, so the
/// worker is with the one that goes on.
/// </summary>
internal sealed class LocalDoors(LocalRuns runs, RunCatalog catalog) : IRunDoors
{
    public Task<bool> TryJoinAsync(WorkerSeat seat, string runId, CancellationToken cancellation) => catalog.UndisturbedAsync(
        () =>
        {
            if (runs.Find(runId) is not { } actor)
                return false;
            seat.Join(actor);
            return true;
        },
        cancellation);

    /// <summary>Gives waiting workers to the runs that want some; while a submission may be replacing one of them, nothing, and the next call sees to it.</summary>
    public void Offer(WorkerPool pool) => catalog.TryUndisturbed(() =>
    {
        foreach (var run in runs.Actors)
            pool.Offer(run, run.FreePlaces);
    });
}
