using System.Collections.Immutable;
using AdderNet.Core.Sharding;

namespace AdderNet.Coordinator.RunLogic;

/// <summary>
/// What the host must do. Actions of one decision are performed in order and each is complete before the next begins,
/// so what a store action records is durable before any later message of the decision leaves.
/// </summary>
internal abstract record RunAction;

/// <summary>A message to one member over its session.</summary>
internal sealed record Send(string WorkerId, long Session, long Generation, long Step, Order Order) : RunAction;

/// <summary>Store: make generation <paramref name="Number"/> by compare-and-swap; answered by <see cref="GenerationGranted"/> or <see cref="StoreLost"/>.</summary>
internal sealed record ProposeGeneration(
    long Number, ImmutableArray<GenerationMember> Members, long BaseStep, string Why) : RunAction;

/// <summary>Store: what the first prepared worker fixed.</summary>
internal sealed record RecordFacts(RunFacts Facts) : RunAction;

/// <summary>Store: an evaluation, once.</summary>
internal sealed record RecordEvaluation(EvaluationRecord Evaluation) : RunAction;

/// <summary>Store: a verified file of state.</summary>
internal sealed record RecordCheckpoint(CheckpointRecord Checkpoint) : RunAction;

/// <summary>Store: how far the run is and who contributed what; may lag behind.</summary>
internal sealed record RecordProgress(
    RunCondition Condition, string Why, long Step, TimeSpan TrainingTime,
    ImmutableSortedDictionary<string, WorkerTotals> Totals) : RunAction;

/// <summary>Forgets, in store and metrics, everything beyond a step; writes the step's own lines again if they are missing and known.</summary>
/// <param name="Step">The last step that stays.</param>
/// <param name="Restored">Its line, as a member's report tells it.</param>
/// <param name="Evaluated">Its evaluation, as the store holds it.</param>
internal sealed record CutHistory(long Step, StepLine? Restored, WriteEvaluationLine? Evaluated) : RunAction;

/// <summary>One line of metrics.jsonl for a committed step.</summary>
internal sealed record StepLine(
    long Step, long Epoch, StepOutcome Outcome, bool Skipped, double SamplesPerSecond, int World, long Generation,
    double ComputeSeconds, double ExchangeSeconds, double DataWaitSeconds);

internal sealed record WriteStepLine(StepLine Line) : RunAction;

/// <summary>One line of metrics.jsonl for an evaluation.</summary>
internal sealed record WriteEvaluationLine(EvaluationRecord Evaluation, long Epoch) : RunAction;

/// <summary>Look whether a file that a worker announced is there and whole, while the run goes on; answered by <see cref="CheckpointVerified"/>.</summary>
internal sealed record VerifyCheckpoint(long Step, string File, long Bytes, string Sha256) : RunAction;

/// <summary>Remove a periodic checkpoint that <c>keep</c> no longer covers, from disk and store.</summary>
internal sealed record DeleteCheckpoint(CheckpointRecord Checkpoint) : RunAction;

/// <summary>The run is over: write the side file and let go of it.</summary>
internal sealed record EndRun(RunCondition Condition, string Why) : RunAction;

/// <summary>Something worth a log line, a counter and a line of history.</summary>
internal sealed record Note(NoteKind Kind, string Text) : RunAction;

internal enum NoteKind
{
    Joined,
    Refused,
    Evicted,
    Generation,
    StaleMessage,
    Warning,
}

/// <summary>What a member is told.</summary>
internal abstract record Order;

internal sealed record WelcomeOrder(string Identity, string ManifestHash, string ResumeFrom) : Order;

internal sealed record RefusedOrder(string Why, bool Final) : Order;

internal sealed record GenerationStartedOrder(GenerationPlan Plan) : Order;

internal sealed record StartStepOrder : Order;

internal sealed record CommitOrder(ulong Hash, bool Skip) : Order;

internal sealed record EvaluateOrder(int BlockSize, ShardRange Blocks) : Order;

internal sealed record WriteCheckpointOrder(string File, bool WeightsOnly) : Order;

internal sealed record ReleasedOrder(string Why) : Order;

internal sealed record RunEndedOrder(RunCondition Condition, string Why) : Order;
