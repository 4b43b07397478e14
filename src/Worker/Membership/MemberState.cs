using System.Collections.Immutable;

namespace AdderNet.Worker.Membership;

/// <summary>All that a member's decisions depend on. Immutable.</summary>
internal sealed record MemberState
{
    /// <summary>This worker.</summary>
    public required string WorkerId { get; init; }

    /// <summary>The run it was welcomed into.</summary>
    public required string RunId { get; init; }

    /// <summary>What it read in the run's output directory, to prove that it reaches it; empty: nothing.</summary>
    public string ReachToken { get; init; } = "";

    /// <summary>Commits of a step with a non-finite value leave the weights as they are (<c>on_nonfinite: skip</c>).</summary>
    public bool SkipsNonFinite { get; init; }

    /// <summary>The highest generation that lists this worker, or null before the first.</summary>
    public GenerationView? View { get; init; }

    /// <summary>Its number; 0: none.</summary>
    public long Generation => View?.Generation ?? 0;

    /// <summary>This worker's part in it.</summary>
    public MemberInfo? Me => View?.Find(WorkerId);

    /// <summary>Listed without a vote: it follows the others' steps until it could vote.</summary>
    public bool Observes => Me is { Votes: false };

    /// <summary>Whether it reached the generation's base.</summary>
    public bool InPosition { get; init; }

    /// <summary>The last applied step.</summary>
    public long AppliedStep { get; init; }

    /// <summary>The hash voted for it; 0 when unknown (initial weights, a checkpoint).</summary>
    public ulong AppliedHash { get; init; }

    /// <summary>What it came to; null when unknown.</summary>
    public StepFacts? AppliedFacts { get; init; }

    /// <summary>Steps after the applied one whose means are held or on their way, without gaps. A voter holds at most one.</summary>
    public ImmutableArray<HeldStep> Held { get; init; } = [];

    /// <summary>The last step of which the coordinator was told that this observer holds it.</summary>
    public long FollowedStep { get; init; }

    /// <summary>What the worker is doing; null: it waits for orders.</summary>
    public MemberWork? Work { get; init; }

    /// <summary>Number of the newest work.</summary>
    public long LastWork { get; init; }

    /// <summary>Orders that came early or while the worker was busy, in their sequence; at most <see cref="MemberMachine.MostEarly"/>.</summary>
    public ImmutableArray<Order> Early { get; init; } = [];

    /// <summary>Files being written in the background.</summary>
    public ImmutableArray<CheckpointOrder> Writing { get; init; } = [];

    /// <summary>Why the coordinator must hear what this member holds as soon as its work has ended; null: it need not.</summary>
    public string? ReportDue { get; init; }

    /// <summary>Set once the worker was asked to leave.</summary>
    public Departure? Leaving { get; init; }

    /// <summary>The run is over for this worker.</summary>
    public bool IsFinished { get; init; }

    /// <summary>What this member contributed to steps that it applied.</summary>
    public Contribution Totals { get; init; } = Contribution.None;

    /// <summary>When a <see cref="Tick"/> is due; null: never.</summary>
    public TimeSpan? WakeAt => IsFinished ? null : Leaving?.Until;

    /// <summary>What the mean of a step means for the weights.</summary>
    public bool Skips(StepFacts facts) => SkipsNonFinite && facts.FirstNonFinite != 0;
}

/// <summary>A step that was not applied yet.</summary>
/// <param name="Step">Which.</param>
/// <param name="Hash">Of the mean; null while it is on its way.</param>
/// <param name="Facts">What it came to; null while it is on its way.</param>
/// <param name="Effort">What it cost this member.</param>
/// <param name="Commit">Its commit; null: it may never be applied.</param>
internal sealed record HeldStep(long Step, ulong? Hash, StepFacts? Facts, StepEffort Effort, CommitOrder? Commit)
{
    /// <summary>Committed, and its mean is here.</summary>
    public bool IsApplicable => Commit is not null && Hash == Commit.Hash;
}

/// <summary>Work in progress. One at a time, since there is one replica.</summary>
/// <param name="Number">Names it in events.</param>
/// <param name="IsAborting">It was told to end.</param>
internal abstract record MemberWork(long Number, bool IsAborting)
{
    internal sealed record Positioning(long Number, GenerationView View, BaseRoute Route, bool IsAborting = false) : MemberWork(Number, IsAborting);

    internal sealed record Computing(long Number, long Step, bool IsAborting = false) : MemberWork(Number, IsAborting);

    internal sealed record Exchanging(long Number, long Step, bool IsAborting = false) : MemberWork(Number, IsAborting);

    internal sealed record Applying(long Number, HeldStep Held, bool IsAborting = false) : MemberWork(Number, IsAborting);

    internal sealed record Evaluating(long Number, EvaluateOrder Order, bool IsAborting = false) : MemberWork(Number, IsAborting);
}

/// <summary>The worker was asked to leave.</summary>
/// <param name="Why">One line.</param>
/// <param name="Until">When it goes even if nobody has taken over.</param>
internal sealed record Departure(string Why, TimeSpan Until);

/// <summary>What a member has contributed to committed steps.</summary>
internal sealed record Contribution(long Steps, long Shards, long BytesSent)
{
    public static Contribution None { get; } = new(0, 0, 0);

    public Contribution Plus(StepEffort effort) => new(Steps + 1, Shards + effort.Shards, BytesSent + effort.BytesSent);
}
