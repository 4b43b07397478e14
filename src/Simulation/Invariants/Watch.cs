using AdderNet.Coordinator.RunLogic;
using AdderNet.Core.Sharding;
using AdderNet.Simulation.Processes;

namespace AdderNet.Simulation.Invariants;

/// <summary>Sees all that happens and looks after every event whether the promises still hold. The first that does not ends the seed.</summary>
internal sealed class Watch
{
    private readonly World world;
    private readonly ReplicaRules replicas;
    private readonly GenerationRules generations;
    private readonly StepRules steps;
    private readonly RecordRules records;
    private readonly ProgressRules progress;
    private readonly EndRules end;

    public Watch(World world)
    {
        this.world = world;
        steps = new StepRules(world, Blame);
        replicas = new ReplicaRules(world, steps, Blame);
        generations = new GenerationRules(world, steps, Blame);
        records = new RecordRules(world, Blame);
        progress = new ProgressRules(world, Blame);
        end = new EndRules(world, steps, Blame);
    }

    public Violation? Violation { get; private set; }

    /// <summary>The run has ended as it should, or an invariant did not hold.</summary>
    public bool IsOver => Violation is not null || end.IsSettled;

    /// <summary>The run has ended as it should.</summary>
    public bool HasEnded => end.HasEnded;

    /// <summary>A checkpoint was made to rot: the run may fail on it.</summary>
    public bool Corrupted { get; set; }

    public long Commits => steps.Commits;

    public long Redone => steps.Redone;

    /// <summary>After every event.</summary>
    public void Look()
    {
        if (Violation is not null)
            return;
        replicas.Look();
        records.Look();
        progress.Look();
        end.Look();
    }

    public void Decided(SimulatedCoordinator coordinator, RunState before, RunEvent @event, Decision decision)
    {
        if (@event is HostFailed failed && failed.Why.Contains("fault in the coordinator", StringComparison.Ordinal))
            Blame("the machine never throws", failed.Why);
        if (@event is MemberPrepared prepared)
            generations.Reported(coordinator, prepared.WorkerId);
        steps.Decided(coordinator, before, decision.Next);
        generations.Decided(coordinator, before, decision.Next);
        progress.Decided(coordinator, before, decision);
        if (decision.Next.Committed.Step > before.Committed.Step || decision.Next.IsOver)
            progress.Made();
        end.Decided(coordinator, before, decision.Next);
    }

    public void Decided(SimulatedWorker worker, Worker.Membership.MemberState before, Worker.Membership.MemberEvent @event, Worker.Membership.MemberDecision decision) =>
        MemberRules.Decided(worker, before, @event, decision, Blame);

    public void Sent(SimulatedCoordinator coordinator, Send send)
    {
        generations.Sent(coordinator, send);
        steps.Sent(send);
    }

    public void Noted(SimulatedCoordinator coordinator, Note note) => progress.Noted(coordinator, note);

    public void Looked(string file, string? problem) => records.Looked(file, problem);

    public void Recorded(CheckpointRecord checkpoint) => records.Recorded(checkpoint);

    public void Voted(SimulatedWorker worker, long generation, long step, ulong hash) => steps.Voted(worker, generation, step, hash);

    public void Computed(SimulatedWorker worker, long step, ShardRange range) => steps.Computed(worker, step, range);

    public void Flipped(SimulatedWorker worker, long step) => steps.Flipped(worker, step);

    /// <summary>A machine threw: no input may make it do so.</summary>
    public void Threw(string who, Exception e) => Blame("machines never throw", $"{who}: {e.GetType().Name}: {e.Message} {e.StackTrace?.Split('\n').FirstOrDefault()?.Trim()}");

    private void Blame(string rule, string what) => Violation ??= new Violation(rule, what);
}
