using System.Collections.Immutable;

namespace AdderNet.Coordinator.RunLogic;

/// <summary>What people asked of the run; honoured at the next boundary.</summary>
internal enum Wish
{
    None,
    Pause,
    Stop,
}

/// <summary>The whole state of a run as its coordinator sees it. Immutable; a decision returns the next one.</summary>
internal sealed record RunState
{
    public required RunPlan Plan { get; init; }

    public required Phase Phase { get; init; }

    /// <summary>Null until the first worker is prepared.</summary>
    public RunFacts? Facts { get; init; }

    public ImmutableSortedDictionary<string, MemberState> Members { get; init; } =
        ImmutableSortedDictionary.Create<string, MemberState>(StringComparer.Ordinal);

    public int NextJoin { get; init; }

    /// <summary>The announced generation; null before the first of this coordinator's life.</summary>
    public GenerationPlan? Generation { get; init; }

    /// <summary>Highest number known to be taken in the store.</summary>
    public long LastGeneration { get; init; }

    /// <summary>The last step that counts.</summary>
    public CommittedStep Committed { get; init; } = CommittedStep.Initial;

    /// <summary>Its outcome, if it is known.</summary>
    public StepOutcome? CommittedOutcome { get; init; }

    /// <summary>Members of the stored generation for whom a restarted coordinator waits until <see cref="ExpectedUntil"/>.</summary>
    public ImmutableSortedSet<string> ExpectedBack { get; init; } = ImmutableSortedSet.Create<string>(StringComparer.Ordinal);

    public TimeSpan ExpectedUntil { get; init; }

    /// <summary>The first generation waits for the expected workers; not so when a run that was under way is taken up.</summary>
    public bool AwaitsExpected { get; init; } = true;

    /// <summary>Failed phases since the last commit.</summary>
    public int FailuresInARow { get; init; }

    /// <summary>Those of them for which no link to a peer was named.</summary>
    public int UnlinkedFailures { get; init; }

    /// <summary>When the first of them failed; null: none did.</summary>
    public TimeSpan? FailingSince { get; init; }

    /// <summary>How often each member was named as the peer at fault since the last commit.</summary>
    public ImmutableSortedDictionary<string, int> Blames { get; init; } = ImmutableSortedDictionary.Create<string, int>(StringComparer.Ordinal);

    /// <summary>When the present phase began.</summary>
    public TimeSpan PhaseSince { get; init; }

    /// <summary>The newest tick: a long gap before the next one says that this coordinator stood still, not its workers.</summary>
    public TimeSpan? TickedAt { get; init; }

    /// <summary>Whether moving shards would pay, and for how long it has.</summary>
    public Imbalance Imbalance { get; init; } = Imbalance.None;

    /// <summary>A step whose votes differed once; it is redone once.</summary>
    public long? DisputedStep { get; init; }

    public Wish Wish { get; init; }

    /// <summary>Who was the last to go and why, while the run waits for workers: what keeps them away is worth saying.</summary>
    public string LastGone { get; init; } = "";

    public string WishReason { get; init; } = "";

    /// <summary>Recorded files of state, oldest first.</summary>
    public ImmutableArray<CheckpointRecord> Checkpoints { get; init; } = [];

    /// <summary>A recorded checkpoint that a member could not load: it is read again before anyone else is sent to it.</summary>
    public CheckpointRecord? Doubted { get; init; }

    /// <summary>Files that members are writing, in the order in which they were ordered.</summary>
    public ImmutableArray<FileOrder> Writing { get; init; } = [];

    /// <summary>A periodic checkpoint was lost with its writer: one is due at the next boundary.</summary>
    public bool OwesCheckpoint { get; init; }

    /// <summary>What files of state have cost so far.</summary>
    public FileCost FileCost { get; init; } = FileCost.None;

    /// <summary>Boundary at which a checkpoint was tried in vain, by kind: not tried again there.</summary>
    public ImmutableSortedDictionary<CheckpointKind, long> FailedCheckpoints { get; init; } =
        ImmutableSortedDictionary<CheckpointKind, long>.Empty;

    /// <summary>Evaluations, oldest first.</summary>
    public ImmutableArray<EvaluationRecord> Evaluations { get; init; } = [];

    public ImmutableSortedDictionary<string, WorkerTotals> Totals { get; init; } =
        ImmutableSortedDictionary.Create<string, WorkerTotals>(StringComparer.Ordinal);

    /// <summary>Time within committed steps only.</summary>
    public TimeSpan TrainingTime { get; init; }

    /// <summary>Seconds from one commit to the next, smoothed; 0: not known.</summary>
    public double SecondsPerStep { get; init; }

    /// <summary>The sentence behind the present condition.</summary>
    public string Reason { get; init; } = "";

    public bool IsOver => Phase is Ended;

    public CheckpointRecord? Newest(CheckpointKind kind) => Checkpoints.LastOrDefault(c => c.Kind == kind);

    /// <summary>The best evaluation by top-1; the earlier one of equals.</summary>
    public EvaluationRecord? Best => Evaluations.IsEmpty ? null : Evaluations.Aggregate((a, b) => b.Top1 > a.Top1 ? b : a);

    /// <summary>Members that have prepared and whose stream is open.</summary>
    public IEnumerable<MemberState> Ready => Members.Values.Where(m => m.IsPrepared && m.ClosedAt is null);

    /// <summary>The run as it starts in this coordinator, from what the store holds.</summary>
    public static RunState Begin(RunPlan plan, RunMemory memory, TimeSpan now)
    {
        var newest = memory.Checkpoints.Where(c => c.Kind == CheckpointKind.Periodic).OrderBy(c => c.Step).LastOrDefault();
        return new RunState
        {
            Plan = plan,
            PhaseSince = now,
            Phase = new Gathering(now, now, memory.LastGeneration == 0 ? "the run starts" : "the coordinator took the run up again"),
            Facts = memory.Facts,
            LastGeneration = memory.LastGeneration,
            ExpectedBack = memory.ExpectedBack.ToImmutableSortedSet(StringComparer.Ordinal),
            ExpectedUntil = now + plan.Lease,
            AwaitsExpected = memory.ExpectedBack.IsEmpty,
            Committed = newest is null ? CommittedStep.Initial : new CommittedStep(newest.Step, newest.VotedHash),
            Checkpoints = [.. memory.Checkpoints.OrderBy(c => c.Step)],
            Evaluations = [.. memory.Evaluations.OrderBy(e => e.Step)],
            Totals = memory.Totals.ToImmutableSortedDictionary(StringComparer.Ordinal),
            TrainingTime = memory.TrainingTime,
            Wish = memory.Paused ? Wish.Pause : Wish.None,
            WishReason = memory.Paused ? "it was paused before the coordinator started again" : "",
            Reason = "waiting for workers",
        };
    }
}

/// <summary>What the store remembers of a run when a coordinator takes it up.</summary>
internal sealed record RunMemory
{
    public static RunMemory Nothing { get; } = new();

    public RunFacts? Facts { get; init; }

    public long LastGeneration { get; init; }

    /// <summary>Members of the last generation, when the run was under way; empty for one that starts or was stopped.</summary>
    public ImmutableArray<string> ExpectedBack { get; init; } = [];

    /// <summary>Only files that were verified now.</summary>
    public ImmutableArray<CheckpointRecord> Checkpoints { get; init; } = [];

    public ImmutableArray<EvaluationRecord> Evaluations { get; init; } = [];

    public ImmutableDictionary<string, WorkerTotals> Totals { get; init; } = ImmutableDictionary<string, WorkerTotals>.Empty;

    public TimeSpan TrainingTime { get; init; }

    /// <summary>The run was paused.</summary>
    public bool Paused { get; init; }
}
