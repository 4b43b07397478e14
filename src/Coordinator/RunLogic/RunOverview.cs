namespace AdderNet.Coordinator.RunLogic;

/// <summary>What people see of a run, derived from its state alone.</summary>
internal static class RunOverview
{
    public static RunCondition Condition(RunState state) => state.Phase switch
    {
        Ended ended => ended.Condition,
        Gathering => RunCondition.Waiting,
        Proposing when state.Generation is null => RunCondition.Waiting,
        Evaluating => RunCondition.Evaluating,
        Checkpointing => RunCondition.Checkpointing,
        Paused => RunCondition.Paused,
        _ => RunCondition.Training,
    };

    /// <summary>Hash of the final weights; empty until the run is completed.</summary>
    public static string WeightsHash(RunState state) =>
        Condition(state) == RunCondition.Completed ? state.Newest(CheckpointKind.Final)?.WeightsHash ?? "" : "";

    /// <summary>Samples of committed steps in a second, smoothed; 0: not known.</summary>
    public static double SamplesPerSecond(RunState state) =>
        state.SecondsPerStep > 0 ? state.Plan.Description.Batch.Global / state.SecondsPerStep : 0;

    /// <summary>Seconds of training left at the present speed; 0: none, or not known.</summary>
    public static double SecondsLeft(RunState state) =>
        state.Facts is { } facts && !state.IsOver ? Math.Max(0, state.Plan.TotalSteps(facts) - state.Committed.Step) * state.SecondsPerStep : 0;

    /// <summary>What a member does, in a word.</summary>
    public static string Doing(RunState state, MemberState member)
    {
        if (member.ClosedAt is not null)
            return "disconnected";
        if (member.Leaves)
            return "leaving";
        if (!member.IsPrepared)
            return "preparing";
        return state.Generation?.Find(member.WorkerId) switch
        {
            null => "joining",
            { Votes: false } => "observing",
            { Range.Count: 0 } => "spare",
            _ => state.IsOver ? "done" : "computing",
        };
    }
}
