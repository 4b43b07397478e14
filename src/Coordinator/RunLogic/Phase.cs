using System.Collections.Immutable;
using AdderNet.Core.Sharding;

namespace AdderNet.Coordinator.RunLogic;

/// <summary>What the run is doing. Exactly one at a time; each phase at a boundary is redone after a failure.</summary>
internal abstract record Phase;

/// <summary>No generation: waits for members.</summary>
/// <param name="Since">When enough members were last missing or the generation ended.</param>
/// <param name="NotBefore">Back-off after failed phases.</param>
/// <param name="Cause">Why a new generation is due.</param>
internal sealed record Gathering(TimeSpan Since, TimeSpan NotBefore, string Cause) : Phase;

/// <summary>Waits for the store to grant the generation's number.</summary>
internal sealed record Proposing(GenerationPlan Plan) : Phase;

/// <summary>The generation is announced: members go to its base.</summary>
internal sealed record Positioning(ImmutableSortedDictionary<string, string> StateHashes) : Phase;

/// <summary>Members compute, exchange and vote.</summary>
internal sealed record Stepping(long Step, TimeSpan StartedAt, ImmutableSortedDictionary<string, Ballot> Ballots) : Phase;

/// <summary>Members evaluate their part of the test set.</summary>
internal sealed record Evaluating(
    ImmutableSortedDictionary<string, ShardRange> Parts,
    ImmutableSortedDictionary<int, EvaluationBlockSums> Blocks) : Phase;

/// <summary>Waits at a boundary for a file of state (<see cref="RunState.Writing"/>).</summary>
internal sealed record Checkpointing : Phase;

/// <summary>A file of state that a member writes, while training goes on or while the run waits for it.</summary>
/// <param name="Writer">Which member.</param>
/// <param name="Kind">Why.</param>
/// <param name="Step">State after this step.</param>
/// <param name="File">Path below the output directory.</param>
/// <param name="VotedHash">The hash that was voted for the step; 0: not known.</param>
/// <param name="OrderedAt">When it was ordered.</param>
/// <param name="Announced">Set when the writer has announced it and the host looks for it.</param>
internal sealed record FileOrder(
    string Writer, CheckpointKind Kind, long Step, string File, ulong VotedHash, TimeSpan OrderedAt, CheckpointRecord? Announced);

/// <summary>Waits at a boundary until resumed.</summary>
internal sealed record Paused : Phase;

/// <summary>Nothing more happens.</summary>
internal sealed record Ended(RunCondition Condition) : Phase;

/// <summary>A generation: fixed members, ranges and base.</summary>
/// <param name="Number">From the store, rising.</param>
/// <param name="Members">In joining order.</param>
/// <param name="BaseStep">Every member goes to the state after this step.</param>
/// <param name="BaseHash">Committed hash of the base.</param>
/// <param name="Sources">Members that hold the base.</param>
/// <param name="Checkpoint">File below the output directory to load when there are no sources; empty: initial weights.</param>
/// <param name="Why">One sentence.</param>
internal sealed record GenerationPlan(
    long Number, ImmutableArray<GenerationMember> Members, long BaseStep, ulong BaseHash,
    ImmutableArray<string> Sources, string Checkpoint, string Why)
{
    public IEnumerable<GenerationMember> Voters => Members.Where(m => m.Votes);

    public GenerationMember? Find(string workerId) => Members.FirstOrDefault(m => m.WorkerId == workerId);
}
