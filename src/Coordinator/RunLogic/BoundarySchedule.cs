namespace AdderNet.Coordinator.RunLogic;

/// <summary>What a run does next when all its members stand at one step.</summary>
internal enum BoundaryAct
{
    WriteCheckpoint,
    Evaluate,
    WriteBest,
    WriteFinal,

    /// <summary>Wait at the boundary for a file that is being written.</summary>
    AwaitFile,
    Complete,
    Stop,
    Pause,
    StartStep,
}

/// <summary>
/// The order of things at a boundary: checkpoint, evaluation, best checkpoint, then at the end final.safetensors and
/// completion, else what people asked for, else the next step. Asked again after each act until a step starts. A periodic
/// checkpoint is written while training goes on; the best one, and all files at an end, are waited for.
/// </summary>
internal static class BoundarySchedule
{
    public static BoundaryAct Next(RunState state)
    {
        var facts = state.Facts ?? throw new InvalidOperationException("No worker has prepared yet.");
        var description = state.Plan.Description;
        var step = state.Committed.Step;
        var isLast = step >= state.Plan.TotalSteps(facts);

        var checkpointDue = step > 0 && (isLast || state.Wish == Wish.Stop || state.OwesCheckpoint || Departures.MustSave(state)
            || (description.Checkpoint.EverySteps > 0 && step % description.Checkpoint.EverySteps == 0));
        if (checkpointDue && IsWanted(state, CheckpointKind.Periodic))
            return WhenFree(state, BoundaryAct.WriteCheckpoint);

        if (EvaluationDue(state, facts, isLast))
            return BoundaryAct.Evaluate;

        var isBest = description.Evaluation.KeepBest && state.Best is { } best && best.Step == step && step > 0;
        if (isBest && IsWanted(state, CheckpointKind.Best))
            return WhenFree(state, BoundaryAct.WriteBest);
        if (state.Writing.Any(w => w.Kind == CheckpointKind.Best))
            return BoundaryAct.AwaitFile;

        if (isLast)
        {
            return IsWanted(state, CheckpointKind.Final) ? WhenFree(state, BoundaryAct.WriteFinal) : AfterFiles(state, BoundaryAct.Complete);
        }

        return state.Wish switch
        {
            Wish.Stop => AfterFiles(state, BoundaryAct.Stop),
            Wish.Pause => BoundaryAct.Pause,
            _ when Departures.MustSave(state) => AfterFiles(state, BoundaryAct.StartStep),
            _ => BoundaryAct.StartStep,
        };
    }

    /// <summary>The file of this boundary is not there, not on its way, and was not tried in vain.</summary>
    private static bool IsWanted(RunState state, CheckpointKind kind) =>
        state.Newest(kind)?.Step != state.Committed.Step
        && !state.Writing.Any(w => w.Kind == kind && w.Step == state.Committed.Step)
        && !(state.FailedCheckpoints.TryGetValue(kind, out var at) && at == state.Committed.Step);

    private static BoundaryAct WhenFree(RunState state, BoundaryAct act) =>
        state.Writing.Length >= Checkpoints.MostAtOnce ? BoundaryAct.AwaitFile : act;

    private static BoundaryAct AfterFiles(RunState state, BoundaryAct act) => state.Writing.IsEmpty ? act : BoundaryAct.AwaitFile;

    private static bool EvaluationDue(RunState state, RunFacts facts, bool isLast)
    {
        var every = state.Plan.Description.Evaluation.EveryEpochs;
        var step = state.Committed.Step;
        if (every <= 0 || step == 0 || facts.TestSamples == 0 || state.Evaluations.Any(e => e.Step == step))
            return false;
        return isLast || step % (every * state.Plan.StepsPerEpoch(facts)) == 0;
    }
}
