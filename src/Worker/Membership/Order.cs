using AdderNet.Core.Sharding;

namespace AdderNet.Worker.Membership;

/// <summary>What the coordinator tells a worker, freed from its wire format.</summary>
/// <param name="RunId">The run it belongs to.</param>
/// <param name="Generation">0 before the first generation.</param>
/// <param name="Step">The step it speaks of; for phases at a boundary the step just applied.</param>
internal abstract record Order(string RunId, long Generation, long Step);

/// <summary>The worker belongs to a run; said again after every reconnection.</summary>
internal sealed record WelcomeOrder(
    string RunId, string Description, string RunIdentity, string DataManifestHash,
    TimeSpan Heartbeat, TimeSpan Lease, string InitialWeights, string ResumeFrom) : Order(RunId, 0, 0)
{
    /// <summary>The run's output directory as the coordinator names it.</summary>
    public string Output { get; init; } = "";

    /// <summary>A file below it whose content proves that this worker reaches it; empty: no proof is wanted.</summary>
    public string TokenFile { get; init; } = "";
}

/// <summary>The worker may not take part.</summary>
internal sealed record RefusedOrder(string RunId, string Reason, bool Final) : Order(RunId, 0, 0);

/// <summary>A new member list.</summary>
internal sealed record GenerationOrder(GenerationView View) : Order(View.RunId, View.Generation, View.BaseStep);

/// <summary>Compute <see cref="Order.Step"/>.</summary>
internal sealed record StepOrder(string RunId, long Generation, long Step) : Order(RunId, Generation, Step);

/// <summary>All voted <paramref name="Hash"/>: apply.</summary>
internal sealed record CommitOrder(string RunId, long Generation, long Step, ulong Hash, bool Skip) : Order(RunId, Generation, Step);

/// <summary>Run blocks [FirstBlock, EndBlock) of the test set.</summary>
internal sealed record EvaluateOrder(string RunId, long Generation, long Step, int BlockSize, int FirstBlock, int EndBlock) : Order(RunId, Generation, Step);

/// <summary>Write the state, or with <paramref name="WeightsOnly"/> the plain weights, to a file below a directory.</summary>
internal sealed record CheckpointOrder(string RunId, long Generation, long Step, string Directory, string File, bool WeightsOnly) : Order(RunId, Generation, Step);

/// <summary>A worker that asked to leave may go.</summary>
internal sealed record ReleasedOrder(string RunId, string Reason) : Order(RunId, 0, 0);

/// <summary>The run is over for this worker.</summary>
internal sealed record EndOrder(string RunId, long Generation, long Step, bool Failed, string Reason) : Order(RunId, Generation, Step);

/// <summary>One member of a generation.</summary>
/// <param name="WorkerId">Unique name of the process.</param>
/// <param name="Address">Where its exchange and transfer services listen.</param>
/// <param name="Range">Its shards; empty for spares and observers.</param>
/// <param name="Votes">False for observers.</param>
internal sealed record MemberInfo(string WorkerId, string Address, ShardRange Range, bool Votes)
{
    /// <summary>Members that compute also own buckets.</summary>
    public bool Computes => Range.Count > 0;
}

/// <summary>A generation as announced: fixed members, and the step from which they go on together.</summary>
/// <param name="RunId">The run.</param>
/// <param name="Generation">Its number; only the highest is obeyed.</param>
/// <param name="Members">In the coordinator's order.</param>
/// <param name="BaseStep">The last committed step.</param>
/// <param name="BaseHash">Its committed hash; 0 when unknown (initial weights, or a checkpoint).</param>
/// <param name="Sources">Worker ids that hold the base.</param>
/// <param name="Checkpoint">File to load when nobody holds it, or empty.</param>
/// <param name="Reason">Why there is a new generation.</param>
internal sealed record GenerationView(
    string RunId, long Generation, IReadOnlyList<MemberInfo> Members, long BaseStep, ulong BaseHash,
    IReadOnlyList<string> Sources, string Checkpoint, string Reason)
{
    /// <summary>The member with that id, or null.</summary>
    public MemberInfo? Find(string workerId) => Members.FirstOrDefault(m => m.WorkerId == workerId);
}
