using System.Collections.Immutable;
using AdderNet.Coordinator.RunLogic;
using AdderNet.Coordinator.Store;

namespace AdderNet.Simulation.Store;

/// <summary>A generation as the store made it.</summary>
internal sealed record MadeGeneration(long Number, long Token, ImmutableArray<string> Members, long BaseStep);

/// <summary>
/// What outlives coordinators: the lease with its fencing token, and the run's records. Every write is one transaction that
/// checks the token first, by the rules that the real stores use.
/// </summary>
internal sealed class SimulatedStore
{
    private const string Name = "simulated";
    private HeldLease? lease;

    public RunFacts? Facts { get; private set; }

    public List<MadeGeneration> Generations { get; } = [];

    public List<CheckpointRecord> Checkpoints { get; } = [];

    public List<EvaluationRecord> Evaluations { get; } = [];

    public ImmutableSortedDictionary<string, WorkerTotals> Totals { get; private set; } = ImmutableSortedDictionary<string, WorkerTotals>.Empty;

    public TimeSpan TrainingTime { get; private set; }

    /// <summary>How the run stands as far as the store knows; it may lag.</summary>
    public RunCondition Condition { get; private set; } = RunCondition.Waiting;

    /// <summary>Tokens under which writes were accepted, with the highest at that time: equal, or two coordinators wrote.</summary>
    public List<(long Token, long Highest)> Writes { get; } = [];

    public long HighestToken => lease?.Token ?? 0;

    /// <summary>Takes the lease.</summary>
    /// <returns>The fencing token, or 0 with the holder whose lease lives.</returns>
    public (long Token, string Holder) Acquire(string owner, long nowMs, TimeSpan duration, Func<string, bool> isGone)
    {
        if (!StoreRules.IsFree(lease, nowMs, isGone))
            return (0, lease!.Owner);
        lease = new HeldLease(StoreRules.NextToken(lease), owner, nowMs + (long)duration.TotalMilliseconds);
        return (lease.Token, owner);
    }

    public void Renew(long token, long nowMs, TimeSpan duration) =>
        Write(token, () => lease = lease! with { ExpiresMs = nowMs + (long)duration.TotalMilliseconds });

    /// <summary>Gives the lease back, if it is still the caller's.</summary>
    public void Release(long token)
    {
        if (lease?.Token == token)
            lease = lease with { Owner = "", ExpiresMs = 0 };
    }

    public void RecordFacts(long token, RunFacts facts) => Write(token, () => Facts = facts);

    /// <summary>Makes a generation if nobody did; false when the number was taken.</summary>
    public bool TryMakeGeneration(long token, ProposeGeneration proposed)
    {
        var made = false;
        Write(token, () =>
        {
            if (!StoreRules.MayMake(Generations.Count == 0 ? null : Generations.Max(g => g.Number), proposed.Number))
                return;
            Generations.Add(new MadeGeneration(proposed.Number, token, [.. proposed.Members.Select(m => m.WorkerId)], proposed.BaseStep));
            Condition = RunCondition.Training;
            made = true;
        });
        return made;
    }

    public void RecordEvaluation(long token, EvaluationRecord evaluation) => Write(token, () =>
    {
        Evaluations.RemoveAll(e => e.Step == evaluation.Step);
        Evaluations.Add(evaluation);
    });

    public void RecordCheckpoint(long token, CheckpointRecord checkpoint) => Write(token, () =>
    {
        Checkpoints.RemoveAll(c => c.File == checkpoint.File);
        Checkpoints.Add(checkpoint);
    });

    public void ForgetCheckpoint(long token, string file) => Write(token, () => Checkpoints.RemoveAll(c => c.File == file));

    public void RecordProgress(long token, RecordProgress progress) => Write(token, () =>
        (Condition, Totals, TrainingTime) = (progress.Condition, progress.Totals, progress.TrainingTime));

    public void CutHistory(long token, long step) => Write(token, () =>
    {
        Evaluations.RemoveAll(e => e.Step > step);
        Checkpoints.RemoveAll(c => c.Step > step);
    });

    /// <summary>A run that ended without being finished is submitted again.</summary>
    public void Resubmit(long token) => Write(token, () => Condition = RunCondition.Waiting);

    private void Write(long token, Action write)
    {
        StoreRules.RequireHolder(lease?.Token, token, Name);
        Writes.Add((token, HighestToken));
        write();
    }
}
