using System.Collections.Immutable;
using AdderNet.Coordinator.RunLogic;
using AdderNet.Core.Configuration;

namespace AdderNet.Coordinator.Tests.RunLogic;

/// <summary>A run, its store and its workers in memory: messages wait in queues and a seed decides what happens next.</summary>
internal sealed class ScheduleWorld
{
    private readonly Queue<RunEvent> hostAnswers = new();
    private readonly List<SimulatedWorker> workers = [];
    private readonly List<CheckpointRecord> stored = [];
    private readonly List<EvaluationRecord> evaluations = [];
    private readonly RunPlan plan;
    private ulong random;
    private TimeSpan now;
    private RunFacts? facts;
    private (long Number, ImmutableArray<string> Members) lastGeneration = (0, []);
    private long sessions;
    private int named;

    public ScheduleWorld(int seed, long steps)
    {
        random = (ulong)seed * 0x9E3779B97F4A7C15UL + 1;
        var description = new RunDescription
        {
            Model = new ModelOptions { Name = ModelName.LeNet5 },
            Data = new DataOptions { Format = DataFormat.Synthetic },
            Batch = new BatchOptions { Global = 16, Shards = 4 },
            Schedule = new ScheduleOptions { Epochs = 100, MaxSteps = steps },
            Evaluation = new EvaluationOptions { EveryEpochs = 1, KeepBest = true },
            Checkpoint = new CheckpointOptions { EverySteps = 5, Keep = 2 },
        };
        plan = new RunPlan { RunId = "r", Description = description, DescriptionText = "", Output = "/out", ExpectedWorkers = 2, EvaluationBlockSize = 10 };
        State = RunState.Begin(plan, RunMemory.Nothing, now);
    }

    public RunState State { get; private set; }

    /// <summary>Steps of the lines in metrics.jsonl, as they stand.</summary>
    public List<long> Metrics { get; } = [];

    public List<string> Faults { get; } = [];

    public IReadOnlyList<SimulatedWorker> Workers => workers;

    public int Draw(int end)
    {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        return (int)(random % (ulong)end);
    }

    public void AddWorker()
    {
        var worker = new SimulatedWorker(this, $"w{++named}");
        workers.Add(worker);
        Connect(worker);
    }

    /// <summary>Delivers one waiting message, or lets a little time pass.</summary>
    public void Step()
    {
        var busy = workers.Where(w => w.IsAlive && (w.Inbound.Count > 0 || w.Outbound.Count > 0)).ToArray();
        var choice = Draw(busy.Length + 2);
        if (choice < busy.Length)
        {
            var worker = busy[choice];
            if (worker.Outbound.Count == 0 || (worker.Inbound.Count > 0 && Draw(2) == 0))
                worker.Receive(worker.Inbound.Dequeue());
            else
                Feed(worker.Outbound.Dequeue());
        }
        else if (hostAnswers.Count > 0)
        {
            Feed(hostAnswers.Dequeue());
        }
        else
        {
            now += TimeSpan.FromMilliseconds(Draw(60));
            foreach (var worker in workers.Where(w => w.IsAlive && w.Session != 0))
                Feed(new MemberBeat(worker.Id, worker.Session, ++worker.Progress, false));
            Feed(new Tick());
        }
    }

    /// <summary>One fault: a worker killed, cut off, joined, or the coordinator restarted on its store.</summary>
    public void Fault()
    {
        var alive = workers.Where(w => w.IsAlive).ToArray();
        switch (Draw(5))
        {
            case 0 when alive.Length > 1:
                var victim = alive[Draw(alive.Length)];
                Faults.Add($"kill {victim.Id}");
                victim.IsAlive = false;
                Feed(new StreamClosed(victim.Id, victim.Session));
                break;
            case 1 when alive.Length > 0:
                var cut = alive[Draw(alive.Length)];
                Faults.Add($"cut {cut.Id}");
                Feed(new StreamClosed(cut.Id, cut.Session));
                Connect(cut);
                break;
            case 2 when alive.Length > 0:
                var leaver = alive[Draw(alive.Length)];
                Faults.Add($"{leaver.Id} leaves");
                leaver.IsAlive = false;
                Feed(new MemberLeft(leaver.Id, leaver.Session, "SIGTERM"));
                AddWorker();
                break;
            case 3:
                Faults.Add("coordinator restart");
                Restart();
                break;
            default:
                if (alive.Length < 6)
                    AddWorker();
                break;
        }
    }

    public SimulatedWorker? Holder(ImmutableArray<string> sources, long step, string but) =>
        workers.Find(w => w.IsAlive && w.Id != but && sources.Contains(w.Id) && w.Applied == step);

    private void Connect(SimulatedWorker worker)
    {
        worker.Inbound.Clear();
        worker.Outbound.Clear();
        worker.Session = ++sessions;
        Feed(new MemberConnected(worker.Id, worker.Session, RunScript.Info(worker.Id)));
    }

    private void Restart()
    {
        hostAnswers.Clear();
        State = RunState.Begin(
            plan,
            new RunMemory
            {
                Facts = facts,
                LastGeneration = lastGeneration.Number,
                ExpectedBack = lastGeneration.Members,
                Checkpoints = [.. stored],
                Evaluations = [.. evaluations],
            },
            now);
        foreach (var worker in workers.Where(w => w.IsAlive))
            Connect(worker);
    }

    private void Feed(RunEvent @event)
    {
        var decision = RunMachine.Apply(State, @event, now);
        State = decision.Next;
        foreach (var action in decision.Actions)
            Perform(action);
    }

    private void Perform(RunAction action)
    {
        switch (action)
        {
            case Send send:
                workers.Find(w => w.IsAlive && w.Session == send.Session)?.Inbound.Enqueue(send);
                break;
            case ProposeGeneration propose:
                lastGeneration = (propose.Number, [.. propose.Members.Select(m => m.WorkerId)]);
                hostAnswers.Enqueue(new GenerationGranted(propose.Number));
                break;
            case RecordFacts record:
                facts = record.Facts;
                break;
            case VerifyCheckpoint verify:
                hostAnswers.Enqueue(new CheckpointVerified(verify.Step, verify.File, null));
                break;
            case RecordCheckpoint record:
                stored.RemoveAll(c => c.File == record.Checkpoint.File);
                stored.Add(record.Checkpoint);
                break;
            case DeleteCheckpoint delete:
                stored.Remove(delete.Checkpoint);
                break;
            case RecordEvaluation record:
                evaluations.Add(record.Evaluation);
                break;
            case WriteStepLine line:
                Metrics.Add(line.Line.Step);
                break;
            case CutHistory cut:
                Metrics.RemoveAll(s => s > cut.Step);
                evaluations.RemoveAll(e => e.Step > cut.Step);
                stored.RemoveAll(c => c.Step > cut.Step);
                if (cut.Restored is { } restored && !Metrics.Contains(restored.Step))
                    Metrics.Add(restored.Step);
                break;
        }
    }
}

/// <summary>The worker's side of the protocol without arithmetic; it throws when it is asked for what must never be.</summary>
internal sealed class SimulatedWorker(ScheduleWorld world, string id)
{
    private readonly Dictionary<long, ulong> appliedHashes = [];
    private long pending;
    private long generation;
    private bool votes = true;

    public string Id { get; } = id;

    public bool IsAlive { get; set; } = true;

    public long Session { get; set; }

    public long Progress { get; set; }

    public long Applied { get; private set; }

    public Queue<Send> Inbound { get; } = new();

    public Queue<RunEvent> Outbound { get; } = new();

    public void Receive(Send send)
    {
        switch (send.Order)
        {
            case WelcomeOrder:
                Report();
                break;
            case RefusedOrder:
                Session = 0; // a new Hello would follow; the world starts another worker instead
                IsAlive = false;
                world.AddWorker();
                break;
            case RunEndedOrder:
                IsAlive = false;
                break;
            case GenerationStartedOrder started:
                Enter(started.Plan);
                break;
            case not null when send.Generation != generation:
                break;
            case StartStepOrder when send.Step == Applied + 1 && !votes:
                pending = send.Step;
                Outbound.Enqueue(new MemberFollows(Id, Session, generation, send.Step, Hash(send.Step)));
                break;
            case StartStepOrder when send.Step == Applied + 1:
                pending = send.Step;
                Outbound.Enqueue(new MemberVoted(Id, Session, generation, send.Step, new Ballot(Hash(send.Step), RunScript.Outcome(), 1, 1, 0.01, 0, 0)));
                break;
            case CommitOrder when !votes && (pending != send.Step || Applied != send.Step - 1):
                break; // an observer that reopened its session has missed some: it starts over
            case CommitOrder commit:
                if (pending != send.Step || Applied != send.Step - 1 || commit.Hash != Hash(send.Step))
                    throw new InvalidOperationException($"{Id} at {Applied}, pending {pending}, was told to apply {send.Step}");
                Apply(send.Step);
                break;
            case EvaluateOrder evaluate:
                Outbound.Enqueue(new EvaluationAnswered(
                    Id, Session, generation, send.Step,
                    [.. Enumerable.Range(evaluate.Blocks.First, evaluate.Blocks.Count).Select(i => new EvaluationBlockSums(i, 10, i, i, 1))]));
                break;
            case WriteCheckpointOrder write when world.Draw(8) == 0 && send.Step < 40:
                Outbound.Enqueue(new FileFailed(Id, Session, send.Step, write.File, "the disk is full"));
                break;
            case WriteCheckpointOrder write:
                Outbound.Enqueue(new CheckpointWritten(Id, Session, send.Step, write.File, "sha", 1, "w"));
                break;
        }
    }

    private static ulong Hash(long step) => 0x1000UL + (ulong)step;

    private void Apply(long step)
    {
        Applied = step;
        pending = 0;
        appliedHashes[step] = Hash(step);
    }

    private void Enter(GenerationPlan plan)
    {
        if (plan.Number <= generation)
            return;
        if (Applied > plan.BaseStep)
        {
            Report();
            return;
        }

        generation = plan.Number;
        votes = plan.Find(Id)!.Votes;
        if (Applied != plan.BaseStep)
        {
            var holdsIt = pending == plan.BaseStep && Hash(pending) == plan.BaseHash;
            var canLoad = plan.Sources.All(s => s == Id) && plan.Checkpoint.Length > 0;
            if (!holdsIt && !canLoad && world.Holder(plan.Sources, plan.BaseStep, Id) is null)
            {
                Outbound.Enqueue(new PhaseFailed(Id, Session, generation, plan.BaseStep, "position", "no source holds the base", ""));
                return;
            }

            Apply(plan.BaseStep);
        }

        pending = 0;
        if (!votes)
            Outbound.Enqueue(new MemberFollows(Id, Session, generation, Applied, appliedHashes.GetValueOrDefault(Applied)));
        else
            Outbound.Enqueue(new MemberInPosition(Id, Session, generation, Applied, $"state {Applied}"));
    }

    private void Report() => Outbound.Enqueue(new MemberPrepared(
        Id, Session, "id", "data",
        new MemberReport(Applied, appliedHashes.GetValueOrDefault(Applied), Applied == 0 ? null : RunScript.Outcome(), $"state {Applied}", pending, pending == 0 ? 0 : Hash(pending)),
        160, 25, ["conv1"]));
}
