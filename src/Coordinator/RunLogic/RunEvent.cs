using System.Collections.Immutable;

namespace AdderNet.Coordinator.RunLogic;

/// <summary>Everything that can happen to a run. The machine has no other input but the time.</summary>
internal abstract record RunEvent;

/// <summary>Came over a worker's session; dropped unless the session is the member's current one.</summary>
internal abstract record MemberEvent(string WorkerId, long Session) : RunEvent;

/// <summary>A worker said Hello: new, or again within the grace after its stream closed.</summary>
internal sealed record MemberConnected(string WorkerId, long Session, WorkerInfo Info) : RunEvent;

internal sealed record MemberPrepared(
    string WorkerId, long Session, string Identity, string ManifestHash, MemberReport Report,
    long TrainSamples, long TestSamples, ImmutableArray<string> LayerNames) : MemberEvent(WorkerId, Session)
{
    /// <summary>Hash of built-in pictures as the worker decodes them; empty where the data are no pictures.</summary>
    public string PictureProbeHash { get; init; } = "";

    /// <summary>What this process has contributed so far, so that a restarted coordinator knows it.</summary>
    public WorkerTotals Totals { get; init; } = WorkerTotals.None;

    /// <summary>What it read in the run's output directory; empty: it does not reach it.</summary>
    public string ReachToken { get; init; } = "";
}

internal sealed record MemberBeat(string WorkerId, long Session, long Progress, bool Waits) : MemberEvent(WorkerId, Session)
{
    /// <summary>Voters from whom nothing has come to it for a lease, though it asked.</summary>
    public ImmutableArray<string> Silent { get; init; } = [];
}

internal sealed record StreamClosed(string WorkerId, long Session) : MemberEvent(WorkerId, Session);

internal sealed record MemberLeft(string WorkerId, long Session, string Reason) : MemberEvent(WorkerId, Session);

/// <summary>It wants to go and works on until it is released.</summary>
internal sealed record MemberLeaves(string WorkerId, long Session, string Reason) : MemberEvent(WorkerId, Session);

/// <summary>A file of state is on disk. It may have been ordered in an earlier generation: it was written in the background.</summary>
internal sealed record CheckpointWritten(
    string WorkerId, long Session, long Step, string File, string Sha256, long Bytes, string WeightsHash, double StallSeconds = 0)
    : MemberEvent(WorkerId, Session);

internal sealed record FileFailed(string WorkerId, long Session, long Step, string File, string Why) : MemberEvent(WorkerId, Session);

/// <summary>Belongs to a generation and a step; stale ones are refused and counted.</summary>
internal abstract record PhaseEvent(string WorkerId, long Session, long Generation, long Step) : MemberEvent(WorkerId, Session);

internal sealed record MemberInPosition(string WorkerId, long Session, long Generation, long Step, string StateHash)
    : PhaseEvent(WorkerId, Session, Generation, Step);

internal sealed record MemberVoted(string WorkerId, long Session, long Generation, long Step, Ballot Ballot)
    : PhaseEvent(WorkerId, Session, Generation, Step);

internal sealed record EvaluationAnswered(
    string WorkerId, long Session, long Generation, long Step, ImmutableArray<EvaluationBlockSums> Blocks)
    : PhaseEvent(WorkerId, Session, Generation, Step);

/// <summary>An observer holds all steps up to this one, whose hash it names.</summary>
internal sealed record MemberFollows(string WorkerId, long Session, long Generation, long Step, ulong Hash)
    : PhaseEvent(WorkerId, Session, Generation, Step);

internal sealed record PhaseFailed(
    string WorkerId, long Session, long Generation, long Step, string Phase, string Why, string Peer)
    : PhaseEvent(WorkerId, Session, Generation, Step);

/// <summary>The file of a <see cref="VerifyCheckpoint"/> action was looked for; <paramref name="Problem"/> is null when it is there and whole.</summary>
internal sealed record CheckpointVerified(long Step, string File, string? Problem) : RunEvent;

/// <summary>The store made the proposed generation number ours.</summary>
internal sealed record GenerationGranted(long Number) : RunEvent;

/// <summary>Another coordinator holds the store now: this one must not drive the run any longer.</summary>
internal sealed record StoreLost(string Why) : RunEvent;

/// <summary>The host could not do what a decision asked for (metrics or store cannot be written): the run ends failed.</summary>
internal sealed record HostFailed(string Why) : RunEvent;

internal enum ControlKind
{
    Pause,
    Resume,
    Cancel,

    /// <summary>Checkpoint, then leave resumable.</summary>
    Stop,
}

internal sealed record ControlAsked(ControlKind Kind, string Why) : RunEvent;

/// <summary>Time has passed.</summary>
internal sealed record Tick : RunEvent;

/// <summary>Sums over one fixed block of consecutive test samples.</summary>
internal sealed record EvaluationBlockSums(int Index, long Samples, long Top1, long Top5, double LossSum);

/// <summary>A member's vote for a step.</summary>
internal sealed record Ballot(
    ulong Hash, StepOutcome Outcome, int ShardsComputed, long GradientBytesSent,
    double ComputeSeconds, double ExchangeSeconds, double DataWaitSeconds);
