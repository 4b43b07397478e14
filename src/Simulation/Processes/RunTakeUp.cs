using System.Collections.Immutable;
using AdderNet.Coordinator.RunLogic;
using AdderNet.Core.Checkpoints;
using AdderNet.Simulation.Store;

namespace AdderNet.Simulation.Processes;

/// <summary>What a coordinator that takes the run up finds in store and on disk; damaged checkpoints are passed over.</summary>
internal static class RunTakeUp
{
    /// <param name="store">What was recorded.</param>
    /// <param name="disk">What is there.</param>
    /// <param name="underWay">The run was being driven when its coordinator ended: its members may come back.</param>
    public static RunMemory Memory(SimulatedStore store, SimulatedDisk disk, bool underWay)
    {
        var newest = disk.Checkpoints().FirstOrDefault(c => c.Content.IsWhole);
        var step = newest.Content?.Step ?? 0;
        var checkpoints = store.Checkpoints
            .Where(c => disk.Read(c.File) is not null)
            .Where(c => c.Kind != CheckpointKind.Periodic || c.Step <= step)
            .ToList();
        if (newest.Content is not null && !checkpoints.Exists(c => c.Kind == CheckpointKind.Periodic && c.Step == step))
            checkpoints.Add(new CheckpointRecord(step, CheckpointKind.Periodic, CheckpointDirectory.StepFile(step), newest.Content!.Sha256, StateFile.Bytes, "", 0));
        var last = store.Generations.LastOrDefault();
        return new RunMemory
        {
            Facts = underWay || store.Facts is null ? store.Facts : store.Facts with { Build = "" },
            LastGeneration = last?.Number ?? 0,
            ExpectedBack = underWay && last is not null ? last.Members : [],
            Checkpoints = [.. checkpoints],
            Evaluations = [.. store.Evaluations],
            Totals = store.Totals.ToImmutableDictionary(),
            TrainingTime = store.TrainingTime,
            Paused = underWay && store.Condition == RunCondition.Paused,
        };
    }

    /// <summary>Recorded checkpoints beyond the newest that verifies: their records would outlive <c>checkpoint.keep</c>.</summary>
    public static IReadOnlyList<string> Damaged(SimulatedStore store, SimulatedDisk disk)
    {
        var newest = disk.Checkpoints().FirstOrDefault(c => c.Content.IsWhole).Content?.Step ?? 0;
        return [.. store.Checkpoints.Where(c => c.Kind == CheckpointKind.Periodic && c.Step > newest).Select(c => c.File)];
    }

    public static MetricsLine LineOf(StepLine line) => new(line.Step, false, line.Outcome.Loss);

    public static MetricsLine LineOf(WriteEvaluationLine line) => new(line.Evaluation.Step, true, line.Evaluation.LossSum);
}
