using AdderNet.Coordinator.RunLogic;
using AdderNet.Simulation.Processes;

namespace AdderNet.Simulation.Invariants;

/// <summary>How runs may end, and what a completed one leaves: every step once, every evaluation once, the undisturbed run's weights.</summary>
internal sealed class EndRules(World world, StepRules steps, Action<string, string> blame)
{
    private static readonly TimeSpan TimeToHear = TimeSpan.FromSeconds(1);

    private TimeSpan? ended;

    /// <summary>The run is over.</summary>
    public bool HasEnded => ended is not null;

    /// <summary>The run is over, and workers had time to hear of it.</summary>
    public bool IsSettled { get; private set; }

    public void Decided(SimulatedCoordinator coordinator, RunState before, RunState after)
    {
        if (HasEnded || before.IsOver || after.Phase is not Ended { Condition: var condition })
            return;
        if (condition == RunCondition.Completed)
        {
            CheckCompleted(coordinator, after);
            End();
        }
        else if (world.Scenario.EndsNonFinite && after.Reason.Contains("not finite", StringComparison.Ordinal))
        {
            if (after.Committed.Step != world.Scenario.NonFiniteStep - 1)
                blame("a value that is not finite stops the run before its step", $"{coordinator.Name} ends at step {after.Committed.Step}");
            End();
        }
        else if (!MayFail(after.Reason))
        {
            blame("a run only fails for a reason that it cannot mend", $"{coordinator.Name}: {after.Reason}");
        }
    }

    public void Look()
    {
        if (ended is { } at && world.Time.Now - at > TimeToHear)
            IsSettled = true;
    }

    /// <summary>Where nobody is left to do anything, time goes on all the same until everyone would have heard.</summary>
    private void End()
    {
        ended = world.Time.Now;
        world.Time.In(TimeToHear + TimeSpan.FromMilliseconds(1), () => { });
    }

    /// <summary>Reasons of the machines' making, which people can mend and submit the run again.</summary>
    private bool MayFail(string reason) =>
        reason.Contains("lets go of the run", StringComparison.Ordinal)
        || reason.Contains("could not be carried out", StringComparison.Ordinal)
        || (reason.Contains("checkpoint could not be written", StringComparison.Ordinal) && (world.Watch.Corrupted || world.Struck.Of(Faults.FaultKind.FullDisk) > 0))
        || (reason.Contains("hold different states", StringComparison.Ordinal) && world.Struck.Of(Faults.FaultKind.SpoilBase) > 0)
        || (reason.Contains("differ a second time", StringComparison.Ordinal) && world.Struck.Of(Faults.FaultKind.FlipBits) > 1);

    private void CheckCompleted(SimulatedCoordinator coordinator, RunState state)
    {
        var total = world.Undisturbed.Steps;
        if (state.Committed.Step != total)
            blame("a completed run has made every step", $"{coordinator.Name} completes at step {state.Committed.Step} of {total}");
        var lines = world.Disk.Metrics.Where(l => !l.IsEvaluation).Select(l => l.Step).ToList();
        if (!lines.SequenceEqual(Enumerable.Range(1, (int)total).Select(s => (long)s).Where(s => !world.Disk.Forgotten.Contains(s) || lines.Contains(s))))
            blame("metrics have one line a step", string.Join(' ', lines));
        foreach (var line in world.Disk.Metrics.Where(l => !l.IsEvaluation && l.Value != world.Undisturbed.Loss(l.Step)))
            blame("metrics are the undisturbed run's", $"step {line.Step} has loss {line.Value}, not {world.Undisturbed.Loss(line.Step)}");
        CheckEvaluations(total);
        CheckFiles(total);
        CheckSamples(total);
    }

    private void CheckEvaluations(long total)
    {
        var every = world.Scenario.Description.Evaluation.EveryEpochs * world.Model.StepsPerEpoch;
        var due = Enumerable.Range(1, (int)total).Select(s => (long)s).Where(s => every > 0 && (s == total || s % every == 0)).ToList();
        var done = world.Disk.Metrics.Where(l => l.IsEvaluation).Select(l => l.Step).ToList();
        due.RemoveAll(s => world.Disk.Forgotten.Contains(s) && !done.Contains(s));
        if (!done.SequenceEqual(due))
            blame("each evaluation is recorded once", $"due at {string.Join(' ', due)}, written at {string.Join(' ', done)}");
        if (world.Disk.Forgotten.Count == 0 && !world.Store.Evaluations.Select(e => e.Step).Order().SequenceEqual(due))
            blame("each evaluation is recorded once", $"due at {string.Join(' ', due)}, stored at {string.Join(' ', world.Store.Evaluations.Select(e => e.Step))}");
    }

    private void CheckFiles(long total)
    {
        if (world.Disk.Read(Checkpoints.FinalFile) is not { IsWhole: true, WeightsOnly: true } final || final.Step != total || final.State != world.Undisturbed.State(total))
            blame("final.safetensors is the undisturbed run's", $"{world.Disk.Read(Checkpoints.FinalFile)}");
        var recorded = world.Store.Checkpoints.Where(c => c.Kind == CheckpointKind.Periodic).ToList();
        if (recorded.Count > world.Scenario.Description.Checkpoint.Keep)
            blame("checkpoint.keep checkpoints are kept", $"{recorded.Count} are recorded");
        if (!world.Watch.Corrupted && world.Disk.Checkpoints().All(c => c.Content.Step != total || !c.Content.IsWhole))
            blame("the last step is always checkpointed", $"there are {string.Join(' ', world.Disk.Names)}");
    }

    private void CheckSamples(long total)
    {
        var perEpoch = world.Model.StepsPerEpoch;
        for (var epoch = 0; epoch * perEpoch < total; epoch++)
        {
            var used = new HashSet<int>();
            var length = Math.Min(perEpoch, total - (epoch * perEpoch));
            for (var step = (epoch * perEpoch) + 1; step <= (epoch * perEpoch) + length; step++)
                used.UnionWith(steps.Samples[step]);
            if (used.Count != length * world.Scenario.Description.Batch.Global)
                blame("each epoch uses floor(N/B)*B distinct samples", $"epoch {epoch + 1} used {used.Count}");
        }
    }
}
