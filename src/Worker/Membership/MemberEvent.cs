namespace AdderNet.Worker.Membership;

/// <summary>All that can happen to a member. The machine has no other input but the time.</summary>
internal abstract record MemberEvent;

/// <summary>The replica is built: the coordinator may hear what it holds.</summary>
internal sealed record Began : MemberEvent;

/// <summary>The coordinator said something.</summary>
internal sealed record OrderArrived(Order Order) : MemberEvent;

/// <summary>The stream to the coordinator broke; it is being opened again, and a <see cref="WelcomeOrder"/> says when it is.</summary>
internal sealed record SessionLost(string Why) : MemberEvent;

/// <summary>The stream broke and will not be opened again.</summary>
internal sealed record SessionGivenUp(string Why) : MemberEvent;

/// <summary>SIGTERM or Ctrl-C.</summary>
internal sealed record LeaveAsked(string Why) : MemberEvent;

/// <summary>Time has passed: due at <see cref="MemberState.WakeAt"/>.</summary>
internal sealed record Tick : MemberEvent;

/// <summary>Comes from work that the machine ordered; dropped unless <paramref name="Work"/> is the number of the work in progress.</summary>
internal abstract record WorkEvent(long Work) : MemberEvent;

/// <summary>The replica stands at the generation's base.</summary>
/// <param name="Work">Number of the work.</param>
/// <param name="StateHash">Of the replica's state, hex.</param>
internal sealed record BaseReached(long Work, string StateHash) : WorkEvent(Work);

/// <summary>This member's shards are computed.</summary>
internal sealed record StepComputed(long Work) : WorkEvent(Work);

/// <summary>The step's mean is here.</summary>
/// <param name="Work">Number of the work.</param>
/// <param name="Hash">Of the exact bits of the mean and the counts.</param>
/// <param name="Facts">What the step came to.</param>
/// <param name="Effort">What it cost this member.</param>
internal sealed record StepReduced(long Work, ulong Hash, StepFacts Facts, StepEffort Effort) : WorkEvent(Work);

/// <summary>A committed step is in the replica.</summary>
internal sealed record StepApplied(long Work) : WorkEvent(Work);

/// <summary>The ordered blocks of the test set are evaluated.</summary>
internal sealed record BlocksEvaluated(long Work, IReadOnlyList<BlockSums> Blocks) : WorkEvent(Work);

/// <summary>The work could not be done: a peer went away, a file cannot be read.</summary>
/// <param name="Work">Number of the work.</param>
/// <param name="Why">One line.</param>
/// <param name="Peer">Worker id of the peer at fault, or empty.</param>
internal sealed record WorkFailed(long Work, string Why, string Peer) : WorkEvent(Work);

/// <summary>The work ended early because the machine asked for it.</summary>
internal sealed record WorkAborted(long Work) : WorkEvent(Work);

/// <summary>An exception while a step was applied: the replica's state is undefined.</summary>
internal sealed record ApplyFailed(long Work, string Why) : WorkEvent(Work);

/// <summary>A file was written in the background.</summary>
internal sealed record FileWritten(CheckpointOrder Order, WrittenFile File) : MemberEvent;

/// <summary>A file could not be written; what it was to replace is untouched.</summary>
internal sealed record FileFailed(CheckpointOrder Order, string Why) : MemberEvent;

/// <summary>An observer received the finished mean of a step.</summary>
internal sealed record MeanTaken(long Generation, long Step, ulong Hash, StepFacts Facts) : MemberEvent;

/// <summary>An observer could not get the mean of a step.</summary>
internal sealed record MeanMissed(long Generation, long Step, string Why) : MemberEvent;

/// <summary>What a step came to, the same on every member.</summary>
/// <param name="Loss">Mean over the global batch.</param>
/// <param name="Samples">Samples of the step.</param>
/// <param name="Correct">Training top-1 hits.</param>
/// <param name="LearningRate">Rate with which the step is applied.</param>
/// <param name="FirstNonFinite">0: all finite; else 1 + (layer &lt;&lt; 32 | shard) of the first found.</param>
internal sealed record StepFacts(float Loss, long Samples, long Correct, double LearningRate, long FirstNonFinite);

/// <summary>What a step cost one member.</summary>
/// <param name="Shards">Shards computed.</param>
/// <param name="BytesSent">Gradient bytes sent to other members since the last vote.</param>
/// <param name="ComputeSeconds">Forward and backward, waits for samples included.</param>
/// <param name="ExchangeSeconds">Reduce-scatter and all-gather.</param>
/// <param name="DataWaitSeconds">Waits for samples within compute.</param>
internal sealed record StepEffort(int Shards, long BytesSent, double ComputeSeconds, double ExchangeSeconds, double DataWaitSeconds)
{
    public static StepEffort None { get; } = new(0, 0, 0, 0, 0);
}

/// <summary>Sums over one fixed block of consecutive test samples.</summary>
internal sealed record BlockSums(int Index, long Samples, long Top1, long Top5, double LossSum);

/// <summary>A file of state as it lies on disk.</summary>
/// <param name="Path">Where.</param>
/// <param name="Sha256">Of the file, hex.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="WeightsHash">Of the weights within, hex.</param>
/// <param name="StallSeconds">How long training stood still for it.</param>
/// <param name="WriteSeconds">How long the background took.</param>
internal sealed record WrittenFile(string Path, string Sha256, long Bytes, string WeightsHash, double StallSeconds, double WriteSeconds);
