using AdderNet.Coordinator.Output;
using AdderNet.Coordinator.RunLogic;
using AdderNet.Coordinator.Store;
using AdderNet.Core.Checkpoints;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using Microsoft.Extensions.Logging;

namespace AdderNet.Coordinator.Hosting;

/// <summary>Brings a stored run back: its plan, and what store and disk remember of it.</summary>
internal sealed class RunLoader(IRunStore store, ILogger log)
{
    /// <exception cref="StoreException">The run was submitted to another build, whose description this one cannot read.</exception>
    public static RunPlan Plan(StoredRun run) => new()
    {
        RunId = run.RunId,
        Description = Description(run),
        DescriptionText = run.Description,
        Output = run.Output,
        InitialWeights = run.InitialWeights,
        ExpectedWorkers = run.ExpectedWorkers,
        EvaluationBlockSize = EvaluationBlocks.DefaultBlockSize,
    };

    public static RunDescription Description(StoredRun run)
    {
        try
        {
            return RunDescriptionFile.Parse(run.Description, run.RunId);
        }
        catch (InvalidDescriptionException e)
        {
            throw new StoreException($"the store holds a run that this build cannot read: {e.Message}", e);
        }
    }

    /// <summary>The run's state as it was left, for people to look at.</summary>
    public async Task<RunState> ReadEndedAsync(StoredRun run, CancellationToken cancellation)
    {
        var records = await store.ReadRecordsAsync(run.RunId, cancellation).ConfigureAwait(false);
        var memory = new RunMemory
        {
            Facts = run.Facts,
            LastGeneration = records.Generations.LastOrDefault()?.Number ?? 0,
            Checkpoints = records.Checkpoints,
            Evaluations = records.Evaluations,
            Totals = records.Totals,
            TrainingTime = run.TrainingTime,
        };
        return RunState.Begin(Plan(run), memory, TimeSpan.Zero) with
        {
            Phase = new Ended(run.Condition),
            Committed = new CommittedStep(run.Step, 0),
            Reason = run.Reason,
        };
    }

    /// <summary>What a coordinator that takes the run up starts from. Damaged checkpoints are passed over with a warning.</summary>
    /// <param name="run">The run.</param>
    /// <param name="underWay">It was being driven when its coordinator ended: its members may come back.</param>
    /// <param name="cancellation">Ends the wait for the store.</param>
    public async Task<RunMemory> LoadAsync(StoredRun run, bool underWay, CancellationToken cancellation)
    {
        var records = await store.ReadRecordsAsync(run.RunId, cancellation).ConfigureAwait(false);
        var identity = run.Facts?.Identity ?? SummaryFile.Read(run.Output)?.RunIdentity;
        var newest = CheckpointDirectory.NewestVerified(run.Output, string.IsNullOrEmpty(identity) ? null : identity);
        foreach (var refused in newest.Refused)
        {
            CoordinatorLog.CheckpointPassedOver(log, run.RunId, refused);
            await store.AddHistoryAsync(run.RunId, StoredNames.Of(NoteKind.Warning), run.Step, $"checkpoint passed over: {refused}", cancellation).ConfigureAwait(false);
        }

        var step = newest.Entry?.Step ?? 0;

        // Nothing counts that lies beyond the newest one that verifies; its record would outlive checkpoint.keep.
        foreach (var damaged in records.Checkpoints.Where(c => c.Kind == CheckpointKind.Periodic && c.Step > step))
            await store.ForgetCheckpointAsync(run.RunId, damaged.File, cancellation).ConfigureAwait(false);
        var checkpoints = records.Checkpoints
            .Where(c => File.Exists(Path.Combine(run.Output, c.File)))
            .Where(c => c.Kind != CheckpointKind.Periodic || c.Step <= step)
            .ToList();
        if (newest.Entry is { } entry && !checkpoints.Exists(c => c.Kind == CheckpointKind.Periodic && c.Step == step))
        {
            // Its coordinator ended before it could write it down.
            var found = new CheckpointRecord(
                step, CheckpointKind.Periodic, CheckpointDirectory.StepFile(step), AtomicFile.Sha256(entry.File), new FileInfo(entry.File).Length, "", 0);
            await store.RecordCheckpointAsync(run.RunId, found, cancellation).ConfigureAwait(false);
            checkpoints.Add(found);
        }

        return new RunMemory
        {
            Facts = run.Facts,
            LastGeneration = records.Generations.LastOrDefault()?.Number ?? 0,
            ExpectedBack = underWay && records.Generations.LastOrDefault() is { } last ? [.. last.Members.Select(m => m.WorkerId)] : [],
            Checkpoints = [.. checkpoints],
            Evaluations = records.Evaluations,
            Totals = records.Totals,
            TrainingTime = run.TrainingTime,
            Paused = underWay && run.Condition == RunCondition.Paused,
        };
    }
}
