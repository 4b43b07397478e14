using AdderNet.Coordinator.RunLogic;
using AdderNet.Core.Sharding;
using AdderNet.Simulation.Processes;

namespace AdderNet.Simulation.Invariants;

/// <summary>
/// Votes and commits: every hash is the undisturbed run's, a step committed again has the same one, a commit waits for all
/// voters, its metrics line is written before anyone hears of it, and a committed step is not redone while a replica that
/// applied it can be reached.
/// </summary>
internal sealed class StepRules(World world, Action<string, string> blame)
{
    /// <summary>A worker whose link and coordinator were undisturbed for so long could have been heard.</summary>
    public static readonly TimeSpan Settled = TimeSpan.FromSeconds(6);

    private readonly HashSet<(string Worker, long Generation, long Step, ulong Hash)> votes = [];
    private readonly HashSet<(string Worker, long Step)> flipped = [];
    private readonly SortedSet<long> committed = [0];
    private readonly SortedDictionary<long, HashSet<int>> samples = [];

    public long Commits { get; private set; }

    public long Redone { get; private set; }

    /// <summary>The highest step that any coordinator ever committed.</summary>
    public long Highest => committed.Max;

    public bool WasCommitted(long step) => committed.Contains(step);

    /// <summary>Samples of committed steps, by step.</summary>
    public IReadOnlyDictionary<long, HashSet<int>> Samples => samples;

    public bool AnyFlipped => flipped.Count > 0;

    public void Flipped(SimulatedWorker worker, long step) => flipped.Add((worker.Name, step));

    public void Computed(SimulatedWorker worker, long step, ShardRange range)
    {
        if (worker.Replica.Applied != step - 1)
            blame("a step is computed from the step before", $"{worker.Name} computes shards {range} of step {step} from step {worker.Replica.Applied}");
    }

    public void Voted(SimulatedWorker worker, long generation, long step, ulong hash)
    {
        votes.Add((worker.Name, generation, step, hash));
        if (step > world.Undisturbed.Steps)
            blame("no step beyond the last", $"{worker.Name} votes for step {step} of {world.Undisturbed.Steps}");
        else if (hash != world.Undisturbed.Voted(step) && !flipped.Contains((worker.Name, step)))
            blame("every vote is the undisturbed run's", $"{worker.Name} votes {hash:x16} for step {step} in generation {generation}; the undisturbed run has {world.Undisturbed.Voted(step):x16}");
    }

    public void Decided(SimulatedCoordinator coordinator, RunState before, RunState after)
    {
        if (before.Phase is not Stepping stepping || after.Committed.Step != stepping.Step || before.Committed.Step == after.Committed.Step)
            return;
        var (step, hash, plan) = (after.Committed.Step, after.Committed.Hash, before.Generation!);
        Commits++;
        if (step != before.Committed.Step + 1)
            blame("steps are committed one after another", $"{coordinator.Name} commits step {step} after {before.Committed.Step}");
        if (hash != world.Undisturbed.Voted(step))
            blame("every commit is the undisturbed run's", $"{coordinator.Name} commits step {step} with {hash:x16}; the undisturbed run has {world.Undisturbed.Voted(step):x16}");
        foreach (var voter in plan.Voters.Where(v => !votes.Contains((v.WorkerId, plan.Number, step, hash))))
            blame("a commit waits for all voters", $"{coordinator.Name} commits step {step} in generation {plan.Number} without the vote of {voter.WorkerId}");
        if (world.Scenario.EndsNonFinite && step == world.Scenario.NonFiniteStep)
            blame("a step with a value that is not finite stops the run", $"{coordinator.Name} commits step {step}");
        if (!committed.Add(step))
            Again(coordinator, step);
        samples[step] = Used(plan, step);
    }

    public void Sent(Send send)
    {
        if (send.Order is CommitOrder && world.Disk.Metrics.All(l => l.Step != send.Step || l.IsEvaluation))
            blame("a commit is told after its metrics line is written", $"{send.WorkerId} is told of step {send.Step}, which has no line");
    }

    /// <summary>Whether a replica beyond a step lives that the coordinator must have been able to hear.</summary>
    public SimulatedWorker? ReachableBeyond(SimulatedCoordinator coordinator, long step) => world.Workers.FirstOrDefault(w =>
        w.Replica.Applied > step && !w.IsStopped && !w.IsHung && IsSettled(w) && IsSettled(coordinator)
        && !world.Network.IsCut(w.Machine, coordinator.Machine) && !world.Network.IsCut(coordinator.Machine, w.Machine)
        && w.Coordinator == coordinator && w.ConnectedAt is { } since && world.Time.Now - since > Settled && w.Member is not null);

    private bool IsSettled(SimulatedProcess process) => process.DisturbedAt is not { } at || world.Time.Now - at > Settled;

    private void Again(SimulatedCoordinator coordinator, long step)
    {
        Redone++;
        if (ReachableBeyond(coordinator, step - 1) is { } holder)
            blame("no committed step is redone while a replica that applied it can be reached", $"{coordinator.Name} commits step {step} again although {holder.Name} is at step {holder.Replica.Applied}");
    }

    private HashSet<int> Used(GenerationPlan plan, long step)
    {
        var used = new HashSet<int>();
        var batch = world.Scenario.Description.Batch;
        foreach (var shard in plan.Members.SelectMany(m => Enumerable.Range(m.Range.First, m.Range.Count)))
        {
            foreach (var sample in world.Model.Samples(step, shard))
            {
                if (!used.Add(sample))
                    blame("each sample is used at most once", $"step {step} of generation {plan.Number} uses sample {sample} twice");
            }
        }

        if (used.Count != batch.Global)
            blame("each step uses one global batch", $"step {step} of generation {plan.Number} uses {used.Count} samples of {batch.Global}");
        return used;
    }
}
