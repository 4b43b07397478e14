namespace AdderNet.Coordinator.RunLogic;

/// <summary>Facts of a step that every voter computed alike.</summary>
/// <param name="Loss">Mean over the global batch.</param>
/// <param name="Samples">Samples of the step.</param>
/// <param name="Correct">Training top-1 hits.</param>
/// <param name="LearningRate">Rate with which the step is applied.</param>
/// <param name="FirstNonFinite">0: all finite; else 1 + (layer &lt;&lt; 32 | shard).</param>
internal sealed record StepOutcome(float Loss, long Samples, long Correct, double LearningRate, long FirstNonFinite);

/// <summary>The last step that counts: no replica that can be reached goes behind it.</summary>
/// <param name="Step">0: initial weights.</param>
/// <param name="Hash">The hash that was voted for it; 0 when it was taken up from a checkpoint.</param>
internal sealed record CommittedStep(long Step, ulong Hash)
{
    public static CommittedStep Initial { get; } = new(0, 0);
}

/// <summary>One evaluation of the whole test set.</summary>
internal sealed record EvaluationRecord(long Step, long Samples, long Top1Hits, long Top5Hits, double LossSum)
{
    /// <summary>Fraction of 1.</summary>
    public double Top1 => Samples == 0 ? 0 : (double)Top1Hits / Samples;

    public double Top5 => Samples == 0 ? 0 : (double)Top5Hits / Samples;

    public double Loss => Samples == 0 ? 0 : LossSum / Samples;
}

/// <summary>Why a file of state is written.</summary>
internal enum CheckpointKind
{
    /// <summary>Every <c>checkpoint.every_steps</c>, at the last step and when stopped; subject to <c>keep</c>.</summary>
    Periodic,

    /// <summary>At the best evaluation; outside <c>keep</c>.</summary>
    Best,

    /// <summary><c>final.safetensors</c>.</summary>
    Final,
}

/// <summary>A file of state that exists and is recorded.</summary>
/// <param name="Step">State after this step.</param>
/// <param name="Kind">Why it was written.</param>
/// <param name="File">Path below the output directory.</param>
/// <param name="Sha256">Of the file, hex.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="WeightsHash">Weights hash of the state, hex.</param>
/// <param name="VotedHash">The hash that was voted for <paramref name="Step"/>; 0: not known.</param>
internal sealed record CheckpointRecord(
    long Step, CheckpointKind Kind, string File, string Sha256, long Bytes, string WeightsHash, ulong VotedHash);

/// <summary>What one worker has contributed to committed steps.</summary>
internal sealed record WorkerTotals(long Steps, long ShardsComputed, long GradientBytesSent)
{
    public static WorkerTotals None { get; } = new(0, 0, 0);

    /// <summary>Both count the same steps; the one that knows more of them holds.</summary>
    public WorkerTotals Or(WorkerTotals other) => other.Steps > Steps ? other : this;
}

/// <summary>What files of state have cost: for how long training stood still.</summary>
internal sealed record FileCost(long Files, double StallSeconds, double LongestStallSeconds)
{
    public static FileCost None { get; } = new(0, 0, 0);

    public FileCost Plus(double stall) => new(Files + 1, StallSeconds + stall, Math.Max(LongestStallSeconds, stall));
}

/// <summary>How a run can end, or be seen from outside.</summary>
internal enum RunCondition
{
    Waiting,
    Training,
    Evaluating,
    Checkpointing,
    Paused,
    Completed,
    Failed,
    Cancelled,
    Stopped,
}
