using AdderNet.Coordinator.RunLogic;
using AdderNet.Simulation.Processes;

namespace AdderNet.Simulation.Invariants;

/// <summary>
/// Generations: made by one coordinator under its fencing token and stored before anyone hears of them, with enough members,
/// whose ranges cover all shards once, from a base behind which no reachable replica has to go.
/// </summary>
internal sealed class GenerationRules(World world, StepRules steps, Action<string, string> blame)
{
    private readonly Dictionary<long, string> announced = [];
    private readonly HashSet<(SimulatedCoordinator Coordinator, string Worker)> reported = [];

    public void Decided(SimulatedCoordinator coordinator, RunState before, RunState after)
    {
        if (after.Generation is not { } plan || plan.Number == before.Generation?.Number)
            return;
        if (before.Generation is { } old && plan.Number <= old.Number)
            blame("generations rise", $"{coordinator.Name} goes from generation {old.Number} to {plan.Number}");
        CheckExpected(coordinator, before, plan);
        CheckMembers(coordinator, after, plan);
        CheckRanges(coordinator, plan);
        CheckHolders(coordinator, before, after, plan);
        foreach (var member in after.Members.Values.Where(m => m.IsPrepared && m.ClosedAt is null))
        {
            if (world.Worker(member.WorkerId) is { IsAlive: true } worker && worker.Replica.Applied > plan.BaseStep && after.Generation.Find(member.WorkerId) is not null)
                blame("no member is behind which the base lies", $"{coordinator.Name} starts generation {plan.Number} at step {plan.BaseStep}, but {worker.Name} is at step {worker.Replica.Applied}");
        }

        if (steps.ReachableBeyond(coordinator, plan.BaseStep) is { } holder)
            blame("no generation starts behind a replica that can be reached", $"{coordinator.Name} starts generation {plan.Number} at step {plan.BaseStep}, but {holder.Name} is at step {holder.Replica.Applied}");
        if (plan.BaseStep > 0 && plan.BaseHash != 0 && plan.BaseHash != world.Undisturbed.Voted(plan.BaseStep))
            blame("every base is the undisturbed run's", $"generation {plan.Number} starts at step {plan.BaseStep} with {plan.BaseHash:x16}");
    }

    /// <summary>Whoever hears of a generation could find it in the store.</summary>
    public void Sent(SimulatedCoordinator coordinator, Send send)
    {
        if (send.Order is not GenerationStartedOrder { Plan: var plan })
            return;
        var made = world.Store.Generations.FirstOrDefault(g => g.Number == plan.Number);
        if (made is null)
            blame("a generation is stored before anyone hears of it", $"{coordinator.Name} announces generation {plan.Number}, which is not stored");
        else if (made.Token != coordinator.Token || world.Store.Generations.Count(g => g.Number == plan.Number) > 1)
            blame("never two coordinators make one generation", $"{coordinator.Name} with token {coordinator.Token} announces generation {plan.Number}, made under token {made.Token}");
        if (!announced.TryAdd(plan.Number, coordinator.Name) && announced[plan.Number] != coordinator.Name)
            blame("never two coordinators make one generation", $"{coordinator.Name} announces generation {plan.Number} after {announced[plan.Number]}");
    }

    /// <summary>A worker has reported to a coordinator.</summary>
    public void Reported(SimulatedCoordinator coordinator, string worker) => reported.Add((coordinator, worker));

    /// <summary>Who takes a run up goes on without a member of the stored generation only when that had a lease to come back.</summary>
    private void CheckExpected(SimulatedCoordinator coordinator, RunState before, GenerationPlan plan)
    {
        var (at, expected) = coordinator.TookUp;
        if (before.Generation is not null || world.Time.Now - at >= world.Scenario.Plan.Lease)
            return;
        if (expected.FirstOrDefault(e => !reported.Contains((coordinator, e))) is { } absent)
            blame("the stored generation's members have a lease to come back", $"{coordinator.Name} starts generation {plan.Number} {(world.Time.Now - at).TotalSeconds:0.00} s after it took the run up, without a word of {absent}");
    }

    private void CheckMembers(SimulatedCoordinator coordinator, RunState state, GenerationPlan plan)
    {
        // One is enough to write the checkpoint of a stop, or of members that all want to go.
        var saves = state.Wish == Wish.Stop || plan.Voters.All(v => state.Members.TryGetValue(v.WorkerId, out var voter) && voter.Leaves);
        var needed = saves ? 1 : world.Scenario.Description.Elastic.MinWorkers;
        if (plan.Members.Count(m => m.Votes) < needed)
            blame("below elastic.min_workers the run waits", $"{coordinator.Name} starts generation {plan.Number} with {plan.Members.Count(m => m.Votes)} voters of at least {needed}");
        if (plan.Members.Any(m => !m.Votes && m.Range.Count > 0))
            blame("observers have empty ranges", $"generation {plan.Number}");
        if (plan.Members.Select(m => m.WorkerId).Distinct().Count() != plan.Members.Length)
            blame("each member is listed once", $"generation {plan.Number}");
    }

    /// <summary>A reduced step that a member holds is as good as applied once it is known to be committed: nobody redoes or downloads it.</summary>
    private void CheckHolders(SimulatedCoordinator coordinator, RunState before, RunState after, GenerationPlan plan)
    {
        foreach (var member in after.Members.Values.Where(m => m.IsPrepared && m.ClosedAt is null && !m.Leaves))
        {
            if (world.Worker(member.WorkerId) is not { IsAlive: true, Member: { Observes: false } state } worker || worker.Coordinator != coordinator)
                continue;
            var holds = state.Held.FirstOrDefault(h => h.Step == worker.Replica.Applied + 1 && h.Hash is not null);
            if (holds is not null && holds.Step == before.Committed.Step && holds.Hash == before.Committed.Hash && plan.BaseStep < holds.Step)
                blame("no committed step is redone while a member holds it", $"{coordinator.Name} starts generation {plan.Number} at step {plan.BaseStep}, but {worker.Name} holds step {holds.Step}");
            var stands = worker.Replica.Applied == plan.BaseStep || (holds?.Step == plan.BaseStep && holds.Hash == plan.BaseHash);
            // A network that repeats messages can make an old report count; one stream never does.
            if (stands && plan.BaseStep > 0 && world.Scenario.Weather is { DuplicateOneIn: 0, OvertakeOneIn: 0 } && plan.Find(member.WorkerId) is { Votes: false })
                blame("who holds the base votes", $"{coordinator.Name} starts generation {plan.Number} at step {plan.BaseStep} without the vote of {worker.Name}, which {(holds is null ? "stands there" : "holds it")}");
        }
    }

    private void CheckRanges(SimulatedCoordinator coordinator, GenerationPlan plan)
    {
        var shards = plan.Members.SelectMany(m => Enumerable.Range(m.Range.First, m.Range.Count)).Order();
        if (!shards.SequenceEqual(Enumerable.Range(0, world.Scenario.Description.Batch.Shards)))
            blame("ranges cover every shard once", $"{coordinator.Name} cuts {string.Join(", ", plan.Members.Select(m => $"{m.WorkerId} {m.Range}"))}");
    }
}
