using AdderNet.Coordinator.RunLogic;

namespace AdderNet.Simulation.Faults;

/// <summary>Moments at which a fault can be made to strike: right before a coordinator's action or a worker's work.</summary>
internal enum Site
{
    Other,
    Welcome,
    RecordFacts,
    ProposeGeneration,
    CutHistory,
    GenerationStarted,
    StartStep,
    WriteStepLine,
    Commit,
    Evaluate,
    RecordEvaluation,
    WriteEvaluationLine,
    OrderCheckpoint,
    VerifyCheckpoint,
    RecordCheckpoint,
    DeleteCheckpoint,
    RunEnded,
    Report,
    Enter,
    Download,
    Serve,
    Compute,
    Exchange,
    Vote,
    Apply,
    EvaluateBlocks,
    WriteFile,
    TakeMean,
}

internal static class Sites
{
    /// <summary>The moment before a coordinator's action.</summary>
    public static Site Before(RunAction action) => action switch
    {
        Send send => send.Order switch
        {
            WelcomeOrder => Site.Welcome,
            GenerationStartedOrder => Site.GenerationStarted,
            StartStepOrder => Site.StartStep,
            CommitOrder => Site.Commit,
            EvaluateOrder => Site.Evaluate,
            WriteCheckpointOrder => Site.OrderCheckpoint,
            RunEndedOrder => Site.RunEnded,
            _ => Site.Other,
        },
        RecordFacts => Site.RecordFacts,
        ProposeGeneration => Site.ProposeGeneration,
        CutHistory => Site.CutHistory,
        WriteStepLine => Site.WriteStepLine,
        RecordEvaluation => Site.RecordEvaluation,
        WriteEvaluationLine => Site.WriteEvaluationLine,
        VerifyCheckpoint => Site.VerifyCheckpoint,
        RecordCheckpoint => Site.RecordCheckpoint,
        DeleteCheckpoint => Site.DeleteCheckpoint,
        _ => Site.Other,
    };
}
