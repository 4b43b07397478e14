namespace AdderNet.Coordinator.RunLogic;

/// <summary>What a run does next when all its members stand at one step.</summary>
internal enum BoundaryAct
{
    WriteCheckpoint,
    Evaluate,
    WriteBest,
    WriteFinal,
    Complete,
    Stop,
    Pause,
    StartStep,
}

/// <summary>
/// The order of things at a boundary: checkpoint, evaluation, best checkpoint, then at the end final.safetensors and
/// completion, else what people asked for, else the next step. Asked again after each act until a step starts.
/// </summary>
internal static class BoundarySchedule
{
    public static BoundaryAct Next(RunState state)
    {
        var facts = state.Facts ?? throw new InvalidOperationException("No worker has prepared yet.");
        var description = state.Plan.Description;
        var step = state.Committed.Step;
        var total = state.Plan.TotalSteps(facts);
        var isLast = step >= total;

        var checkpointDue = step > 0
            && (isLast || state.Wish == Wish.Stop || (description.Checkpoint.EverySteps > 0 && step % description.Checkpoint.EverySteps == 0));
        if (checkpointDue && state.Newest(CheckpointKind.Periodic)?.Step != step && !GivenUp(state, CheckpointKind.Periodic))
            return BoundaryAct.WriteCheckpoint;

        if (EvaluationDue(state, facts, isLast))
            return BoundaryAct.Evaluate;

        if (description.Evaluation.KeepBest && state.Best is { } best && best.Step == step && step > 0
            && state.Newest(CheckpointKind.Best)?.Step != step && !GivenUp(state, CheckpointKind.Best))
            return BoundaryAct.WriteBest;

        if (isLast)
            return state.Newest(CheckpointKind.Final)?.Step == step ? BoundaryAct.Complete : BoundaryAct.WriteFinal;

        return state.Wish switch
        {
            Wish.Stop => BoundaryAct.Stop,
            Wish.Pause => BoundaryAct.Pause,
            _ => BoundaryAct.StartStep,
        };
    }

    private static bool EvaluationDue(RunState state, RunFacts facts, bool isLast)
    {
        var every = state.Plan.Description.Evaluation.EveryEpochs;
        var step = state.Committed.Step;
        if (every <= 0 || step == 0 || facts.TestSamples == 0 || state.Evaluations.Any(e => e.Step == step))
            return false;
        return isLast || step % (every * state.Plan.StepsPerEpoch(facts)) == 0;
    }

    private static bool GivenUp(RunState state, CheckpointKind kind) =>
        state.FailedCheckpoints.TryGetValue(kind, out var at) && at == state.Committed.Step;
}
