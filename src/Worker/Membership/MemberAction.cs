namespace AdderNet.Worker.Membership;

/// <summary>
/// What the worker must do, in order. Actions with a work number begin work that ends with exactly one
/// <see cref="WorkEvent"/> of that number; the machine begins no other work before. Everything else is done at once.
/// </summary>
internal abstract record MemberAction;

/// <summary>Leave the old generation, open the links of this one and bring the replica to its base: <see cref="BaseReached"/>.</summary>
internal sealed record EnterGeneration(long Work, GenerationView View, BaseRoute Route) : MemberAction;

/// <summary>Compute this member's shards of a step: <see cref="StepComputed"/>.</summary>
internal sealed record ComputeStep(long Work, long Step) : MemberAction;

/// <summary>Exchange the computed step with the other members: <see cref="StepReduced"/>.</summary>
internal sealed record ExchangeStep(long Work, long Step) : MemberAction;

/// <summary>Apply the held mean of a committed step: <see cref="StepApplied"/>. Cannot be aborted.</summary>
internal sealed record ApplyStep(long Work, long Step, bool Skip) : MemberAction;

/// <summary>Run blocks of the test set: <see cref="BlocksEvaluated"/>.</summary>
internal sealed record EvaluateBlocks(long Work, EvaluateOrder Order) : MemberAction;

/// <summary>End the work in progress soon: <see cref="WorkAborted"/>, or how it ended if that came first.</summary>
internal sealed record AbortWork(long Work) : MemberAction;

/// <summary>Copy the replica's state now and write it in the background: <see cref="FileWritten"/> or <see cref="FileFailed"/>.</summary>
internal sealed record WriteFile(CheckpointOrder Order) : MemberAction;

/// <summary>Offer the base to members that lack it. With <paramref name="Keep"/> it is copied now and offered while training goes on.</summary>
internal sealed record OfferState(long Step, bool Keep) : MemberAction;

/// <summary>An observer pulls the finished mean of a step, after those asked for before: <see cref="MeanTaken"/> or <see cref="MeanMissed"/>.</summary>
internal sealed record TakeMean(long Generation, long Step) : MemberAction;

/// <summary>Give up the means of steps beyond <paramref name="Keep"/>, held or asked for.</summary>
internal sealed record DropMeans(long Keep) : MemberAction;

/// <summary>Tell the coordinator; dropped while there is no session.</summary>
internal sealed record Tell(long Generation, long Step, Report Report) : MemberAction;

/// <summary>The worker's work is over.</summary>
/// <param name="Failed">It was not done.</param>
/// <param name="Reason">Why it is over.</param>
/// <param name="RunEnded">The run is over for everyone, well or badly: the worker is free for another one.</param>
internal sealed record Finish(bool Failed, string Reason, bool RunEnded = false) : MemberAction;

/// <summary>Something worth a log line.</summary>
internal sealed record Note(NoteKind Kind, string Text) : MemberAction;

internal enum NoteKind
{
    /// <summary>An order that was stale, foreign or said twice; counted.</summary>
    Ignored,

    /// <summary>An order that came early.</summary>
    Held,

    /// <summary>Work left because of a newer order.</summary>
    Interrupted,

    Generation,

    Warning,
}

/// <summary>How a member gets to a generation's base.</summary>
internal abstract record BaseRoute;

/// <summary>It is there.</summary>
internal sealed record Stay : BaseRoute;

/// <summary>It holds the committed steps up to the base and applies them, in order.</summary>
internal sealed record ApplyHeld(IReadOnlyList<HeldStep> Steps) : BaseRoute;

/// <summary>It takes the state from one of these members.</summary>
internal sealed record Download(IReadOnlyList<MemberInfo> Sources) : BaseRoute;

/// <summary>It loads a checkpoint file.</summary>
internal sealed record LoadCheckpoint(string Path) : BaseRoute;

/// <summary>It goes back to the initial weights (base 0 only).</summary>
internal sealed record StartOver : BaseRoute;

/// <summary>What a member tells the coordinator.</summary>
internal abstract record Report;

/// <summary>What this member holds, after preparing and after every reconnection.</summary>
internal sealed record PreparedReport(
    long AppliedStep, ulong AppliedHash, StepFacts? AppliedFacts, long PendingStep, ulong PendingHash, Contribution Totals,
    string ReachToken) : Report;

/// <summary>This member stands at the base.</summary>
internal sealed record InPositionReport(string StateHash) : Report;

/// <summary>A reduced step is held.</summary>
internal sealed record VoteReport(ulong Hash, StepFacts Facts, StepEffort Effort) : Report;

/// <summary>An observer holds all steps up to this one, whose hash it names: it could vote from here on.</summary>
internal sealed record FollowReport(ulong Hash) : Report;

internal sealed record EvaluationReport(IReadOnlyList<BlockSums> Blocks) : Report;

internal sealed record CheckpointReport(string File, WrittenFile Written) : Report;

internal sealed record FileFailedReport(string File, string Why) : Report;

/// <summary>A phase could not be finished, for a reason that does not end the worker.</summary>
internal sealed record FailedReport(string Phase, string Why, string Peer) : Report;

/// <summary>This member wants to go and waits to be released.</summary>
internal sealed record LeaveReport(string Why) : Report;
