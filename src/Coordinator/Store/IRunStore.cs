using System.Collections.Immutable;
using AdderNet.Coordinator.RunLogic;

namespace AdderNet.Coordinator.Store;

/// <summary>
/// What a coordinator must never forget. One coordinator holds a store at a time, by a lease with a rising fencing
/// token; every write is made in one transaction that checks the token first.
/// </summary>
/// <remarks>Writes throw <see cref="FencingLostException"/> when another coordinator holds the store by now, and <see cref="StoreException"/> when it cannot be read or written.</remarks>
internal interface IRunStore : IAsyncDisposable
{
    /// <summary>Names the store for people; holds no secret.</summary>
    string Name { get; }

    /// <summary>Takes the store's lease, or says who has it. The tables are made or upgraded when it is taken.</summary>
    /// <param name="owner">Who takes it.</param>
    /// <param name="duration">Time after which the lease ends unless it is renewed.</param>
    /// <param name="isGone">Whether a former owner is known to have ended: its lease need not be waited for.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    /// <returns>Null when the lease is ours, else the owner whose lease lives.</returns>
    Task<string?> AcquireAsync(LeaseOwner owner, TimeSpan duration, Func<string, bool> isGone, CancellationToken cancellation);

    /// <summary>Lets the lease live on.</summary>
    Task RenewAsync(TimeSpan duration, CancellationToken cancellation);

    /// <summary>Gives the lease back, if it is still ours.</summary>
    Task ReleaseAsync(CancellationToken cancellation);

    Task<StoredRun> CreateRunAsync(NewRun run, CancellationToken cancellation);

    /// <summary>Takes over what may change when a run is submitted again, and forgets the build of its workers.</summary>
    Task<StoredRun> ResubmitRunAsync(string runId, NewRun run, CancellationToken cancellation);

    /// <summary>All runs, oldest first.</summary>
    Task<IReadOnlyList<StoredRun>> ListRunsAsync(CancellationToken cancellation);

    Task<RunRecords> ReadRecordsAsync(string runId, CancellationToken cancellation);

    /// <summary>What happened to a run, oldest first.</summary>
    Task<IReadOnlyList<HistoryEntry>> ReadHistoryAsync(string runId, CancellationToken cancellation);

    Task RecordFactsAsync(string runId, RunFacts facts, CancellationToken cancellation);

    /// <summary>Makes generation <paramref name="number"/> if the run's highest is one below it.</summary>
    /// <returns>Whether it is ours; false: the number was taken.</returns>
    Task<bool> TryMakeGenerationAsync(
        string runId, long number, ImmutableArray<GenerationMember> members, long baseStep, string reason, CancellationToken cancellation);

    /// <summary>Records an evaluation; one of the same step is replaced.</summary>
    Task RecordEvaluationAsync(string runId, EvaluationRecord evaluation, CancellationToken cancellation);

    /// <summary>Records a file of state; one of the same path is replaced.</summary>
    Task RecordCheckpointAsync(string runId, CheckpointRecord checkpoint, CancellationToken cancellation);

    Task ForgetCheckpointAsync(string runId, string file, CancellationToken cancellation);

    Task RecordProgressAsync(string runId, RecordProgress progress, CancellationToken cancellation);

    /// <summary>Forgets evaluations and checkpoints beyond a step.</summary>
    Task CutHistoryAsync(string runId, long step, CancellationToken cancellation);

    /// <summary>Adds a line to the run's history, beside those that the other writes leave there.</summary>
    Task AddHistoryAsync(string runId, string kind, long step, string text, CancellationToken cancellation);
}

/// <summary>A run as it is submitted.</summary>
internal sealed record NewRun(string NameStem, string Description, string InitialWeights, int ExpectedWorkers, string Output);

/// <summary>A run as the store holds it.</summary>
internal sealed record StoredRun(
    string RunId, string Description, string InitialWeights, int ExpectedWorkers, string Output,
    RunCondition Condition, string Reason, long Step, RunFacts? Facts, TimeSpan TrainingTime, DateTimeOffset Created)
{
    /// <summary>Whether a coordinator that takes up the store drives it on without being asked.</summary>
    public bool IsActive => Drives(Condition);

    /// <summary>Whether a run in this condition is not over.</summary>
    public static bool Drives(RunCondition condition) => condition is RunCondition.Waiting or RunCondition.Training or RunCondition.Evaluating
        or RunCondition.Checkpointing or RunCondition.Paused;
}

/// <summary>What a run has left in the store on its way.</summary>
internal sealed record RunRecords(
    ImmutableArray<GenerationRecord> Generations,
    ImmutableArray<CheckpointRecord> Checkpoints,
    ImmutableArray<EvaluationRecord> Evaluations,
    ImmutableDictionary<string, WorkerTotals> Totals);

/// <summary>A generation that was made.</summary>
internal sealed record GenerationRecord(
    long Number, long FencingToken, ImmutableArray<GenerationMember> Members, long BaseStep, string Reason, DateTimeOffset Made);

/// <summary>Something that happened to a run.</summary>
/// <param name="At">When, by the store's clock.</param>
/// <param name="Kind">submitted, generation, joined, refused, evicted, warning, evaluation, checkpoint, cut, paused, or how the run ended.</param>
/// <param name="Step">The step that it belongs to.</param>
/// <param name="Text">One line for people.</param>
internal sealed record HistoryEntry(DateTimeOffset At, string Kind, long Step, string Text);

/// <summary>The store cannot be used; the message is one line for people.</summary>
public class StoreException : Exception
{
    public StoreException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}

/// <summary>Another coordinator holds the store: this one must stop driving runs.</summary>
public sealed class FencingLostException(string message) : StoreException(message);
