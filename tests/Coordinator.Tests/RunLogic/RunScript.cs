using System.Collections.Immutable;
using AdderNet.Coordinator.RunLogic;
using AdderNet.Core.Configuration;
using Xunit;

namespace AdderNet.Coordinator.Tests.RunLogic;

/// <summary>Drives the machine by hand: plays members, store and clock, and keeps the actions of the last event.</summary>
internal sealed class RunScript
{
    public const ulong Hash = 0xfeed;

    private long sessions;

    public RunScript(Func<RunDescription, RunDescription>? change = null, int expected = 0, RunMemory? memory = null, string reachToken = "")
    {
        var description = new RunDescription
        {
            Model = new ModelOptions { Name = ModelName.LeNet5 },
            Data = new DataOptions { Format = DataFormat.Synthetic },
            Batch = new BatchOptions { Global = 16, Shards = 8 },
            Checkpoint = new CheckpointOptions { EverySteps = 0, Keep = 2 },
            Evaluation = new EvaluationOptions { EveryEpochs = 0, KeepBest = false },
            Schedule = new ScheduleOptions { Epochs = 10 },
        };
        Plan = new RunPlan
        {
            RunId = "lenet5-1",
            Description = change?.Invoke(description) ?? description,
            DescriptionText = "",
            Output = "/out",
            ExpectedWorkers = expected,
            EvaluationBlockSize = 10,
            ReachToken = reachToken,
        };
        State = RunState.Begin(Plan, memory ?? RunMemory.Nothing, Now);
    }

    public RunPlan Plan { get; private set; }

    public RunState State { get; private set; }

    public TimeSpan Now { get; private set; }

    public ImmutableArray<RunAction> Actions { get; private set; } = [];

    public string Reason { get; private set; } = "";

    public long Generation => State.Generation?.Number ?? 0;

    public static WorkerInfo Info(string worker) => new("build 1", 1, "managed", "probe", $"http://{worker}", 1, "host", 1);

    public static StepOutcome Outcome(long nonFinite = 0) => new(0.5f, 16, 4, 0.1, nonFinite);

    public RunScript Feed(RunEvent @event)
    {
        var decision = RunMachine.Apply(State, @event, Now);
        State = decision.Next;
        Actions = decision.Actions;
        Reason = decision.Reason;
        return this;
    }

    public RunScript After(double milliseconds)
    {
        Now += TimeSpan.FromMilliseconds(milliseconds);
        return Feed(new Tick());
    }

    /// <summary>Time passes while everyone's heartbeats, with progress, arrive every 400 ms.</summary>
    public RunScript AfterWithBeats(double milliseconds, params string[] silent)
    {
        var seen = ImmutableArray.CreateBuilder<RunAction>();
        for (var passed = 0.0; passed < milliseconds; passed += 400)
        {
            Now += TimeSpan.FromMilliseconds(Math.Min(400, milliseconds - passed));
            foreach (var member in State.Members.Values.Where(m => !silent.Contains(m.WorkerId)))
                Feed(new MemberBeat(member.WorkerId, member.Session, member.Progress + 1, false));
            Feed(new Tick());
            seen.AddRange(Actions);
        }

        Actions = seen.ToImmutable();
        return this;
    }

    public RunScript Connect(string worker, WorkerInfo? info = null) =>
        Feed(new MemberConnected(worker, ++sessions, info ?? Info(worker)));

    public RunScript Prepare(string worker, MemberReport? report = null, string identity = "id", string manifest = "data", long train = 160, long test = 25, string pictures = "") =>
        Feed(new MemberPrepared(worker, Session(worker), identity, manifest, report ?? MemberReport.Fresh, train, test, ["conv1", "bn1"]) { PictureProbeHash = pictures });

    public RunScript Join(params string[] workers)
    {
        foreach (var worker in workers)
            Connect(worker).Prepare(worker);
        return this;
    }

    public RunScript Grant() => Feed(new GenerationGranted(State.LastGeneration + 1));

    public RunScript InPosition(params string[] workers)
    {
        foreach (var worker in workers)
            Feed(new MemberInPosition(worker, Session(worker), Generation, State.Generation!.BaseStep, $"state {State.Generation.BaseStep}"));
        return this;
    }

    public RunScript Vote(string worker, ulong hash = Hash, long nonFinite = 0, long? step = null, double compute = 0.02)
    {
        var shards = State.Generation!.Find(worker)!.Range.Count;
        return Feed(new MemberVoted(
            worker, Session(worker), Generation, step ?? State.Committed.Step + 1,
            new Ballot(hash, Outcome(nonFinite), shards, 100, shards == 0 ? 0 : compute, 0.001, 0)));
    }

    /// <summary>Members join, the store grants, all stand in position: step base + 1 has started.</summary>
    public RunScript Started(params string[] workers)
    {
        Plan = Plan with { ExpectedWorkers = workers.Length };
        State = State with { Plan = Plan };
        return Join(workers).Grant().InPosition(workers);
    }

    /// <summary>Commits steps until the boundary after <paramref name="last"/>; each takes 10 ms.</summary>
    public RunScript Train(long last)
    {
        while (State.Committed.Step < last)
        {
            Assert.IsType<Stepping>(State.Phase);
            Now += TimeSpan.FromMilliseconds(10);
            foreach (var member in State.Generation!.Voters)
                Vote(member.WorkerId);
        }

        return this;
    }

    /// <summary>The oldest file that is being written is announced and looked for.</summary>
    public RunScript WriteCheckpoint(string? problem = null)
    {
        var order = State.Writing[0];
        Feed(new CheckpointWritten(order.Writer, Session(order.Writer), order.Step, order.File, "sha", 7, $"weights {order.Step}", 0.01));
        Assert.Contains(Actions, a => a is VerifyCheckpoint { Bytes: 7 });
        return Feed(new CheckpointVerified(order.Step, order.File, problem));
    }

    public RunScript FailToWrite()
    {
        var order = State.Writing[0];
        return Feed(new FileFailed(order.Writer, Session(order.Writer), order.Step, order.File, "no space left on device"));
    }

    public RunScript Follow(string worker, long step, ulong hash = Hash) =>
        Feed(new MemberFollows(worker, Session(worker), Generation, step, hash));

    public RunScript AnswerEvaluation(params string[] workers)
    {
        foreach (var worker in workers)
        {
            var part = Assert.IsType<Evaluating>(State.Phase).Parts[worker];
            Feed(new EvaluationAnswered(
                worker, Session(worker), Generation, State.Committed.Step,
                [.. Enumerable.Range(part.First, part.Count).Select(i => new EvaluationBlockSums(i, i == 2 ? 5 : 10, 3, 5, 1.5))]));
        }

        return this;
    }

    public RunScript Close(string worker) => Feed(new StreamClosed(worker, Session(worker)));

    public long Session(string worker) => State.Members[worker].Session;

    /// <summary>Orders of one kind in the last actions, with whom they go to.</summary>
    public IReadOnlyList<(string Worker, T Order, long Step)> Sent<T>() where T : Order =>
        [.. Actions.OfType<Send>().Where(s => s.Order is T).Select(s => (s.WorkerId, (T)s.Order, s.Step))];

    public T Single<T>() where T : RunAction => Assert.Single(Actions.OfType<T>());
}
