using AdderNet.Core.Checkpoints;
using AdderNet.Core.Engine;
using AdderNet.Protos.Rpc;
using AdderNet.Protos.V1;

namespace AdderNet.Coordinator.Tests.Hosting;

/// <summary>A worker that speaks the protocol over a real connection but computes nothing: every hash is a function of the step.</summary>
internal sealed class FakeWorker : IAsyncDisposable
{
    public static readonly ModelLayout Layout = new(
        [new ParameterSlot(new TensorSlot("fc.weight", [2, 2], 0, 4), ParameterKind.Weight)], []);

    private readonly RpcChannel channel;
    private readonly CancellationTokenSource stop = new();
    private readonly string id;
    private readonly string wantedRun;
    private readonly Task<RunEnded?> work;
    private ulong applied;
    private ulong pending;
    private bool votes = true;
    private string run = "";
    private ulong generation;

    public FakeWorker(Uri coordinator, string id, string wantedRun = "", string probe = "probe", ulong applied = 0)
    {
        (this.id, this.wantedRun, this.applied) = (id, wantedRun, applied);
        Probe = probe;
        channel = RpcChannel.Create(coordinator);
        work = WorkAsync();
    }

    public static string Identity { get; } = new('1', 64);

    /// <summary>Called with the step before a vote is sent; false: says nothing and hangs up.</summary>
    public Func<ulong, Task<bool>> BeforeVote { get; init; } = _ => Task.FromResult(true);

    public string Probe { get; }

    /// <summary>Told of every generation that is announced to it: run, number, and what was announced.</summary>
    public Action<string, ulong, GenerationStarted>? OnGeneration { get; init; }

    /// <summary>The last step that it has applied.</summary>
    public ulong Applied => applied;

    /// <summary>The run that it is in; empty: none yet.</summary>
    public string Run => run;

    /// <summary>Set when the coordinator refuses the worker.</summary>
    public Refused? Refusal { get; private set; }

    public Welcome? Welcomed { get; private set; }

    /// <summary>How the run ended; null when the session ended without it.</summary>
    public Task<RunEnded?> Ended => work;

    public static ulong HashOf(ulong step) => 0x1000 + step;

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        try
        {
            await work;
        }
        catch (Exception e) when (e is OperationCanceledException or RpcException or IOException)
        {
            // The test ended the worker, or the coordinator is gone.
        }

        await channel.DisposeAsync();
        stop.Dispose();
    }

    private async Task<RunEnded?> WorkAsync()
    {
        await using var call = channel.Duplex(CoordinationMethods.Session, null, stop.Token);
        await call.WriteAsync(new WorkerMessage
        {
            Hello = new Hello
            {
                Build = "test",
                NumericsVersion = 1,
                Engine = "managed",
                ProbeHash = Probe,
                Address = "http://127.0.0.1:1",
                Threads = 1,
                Host = "here",
                ProcessId = 1,
                WorkerId = id,
                WantedRun = wantedRun,
            },
        });
        using var beating = new CancellationTokenSource();
        var beats = BeatAsync(call, beating.Token);
        try
        {
            await foreach (var message in call.ReadAllAsync(stop.Token))
            {
                run = message.RunId.Length > 0 ? message.RunId : run;
                generation = Math.Max(generation, message.Generation);
                switch (message.BodyCase)
                {
                    case CoordinatorMessage.BodyOneofCase.RunEnded:
                        return message.RunEnded;
                    case CoordinatorMessage.BodyOneofCase.Refused:
                        Refusal = message.Refused;
                        return null;
                    case CoordinatorMessage.BodyOneofCase.StartStep when !await BeforeVote(message.Step):
                        return null;
                    default:
                        if (Answer(message) is { } answer)
                            await call.WriteAsync(answer, stop.Token);
                        break;
                }
            }

            return null;
        }
        finally
        {
            await beating.CancelAsync();
            await beats;
        }
    }

    private WorkerMessage? Answer(CoordinatorMessage message)
    {
        var answer = new WorkerMessage { RunId = run, Generation = message.Generation, Step = message.Step };
        switch (message.BodyCase)
        {
            case CoordinatorMessage.BodyOneofCase.Welcome:
                Welcomed = message.Welcome;
                if (message.Welcome.ResumeFrom.Length > 0 && applied == 0)
                    applied = (ulong)CheckpointFile.Load(message.Welcome.ResumeFrom, Layout).State.Step;
                answer.Prepared = new Prepared
                {
                    RunIdentity = Identity,
                    DataManifestHash = "data",
                    TrainSamples = 64,
                    TestSamples = 100,
                    ReachToken = File.ReadAllText(Path.Combine(message.Welcome.Output, message.Welcome.TokenFile)),
                    Report = new MemberReport
                    {
                        AppliedStep = applied,
                        AppliedHash = applied == 0 ? 0 : HashOf(applied),
                        StateHash = $"state {applied}",
                        AppliedOutcome = applied == 0 ? null : Outcome(applied),
                    },
                };
                answer.Prepared.LayerNames.Add("fc");
                return answer;
            case CoordinatorMessage.BodyOneofCase.GenerationStarted:
                OnGeneration?.Invoke(message.RunId, message.Generation, message.GenerationStarted);
                applied = message.GenerationStarted.BaseStep;
                votes = message.GenerationStarted.Members.Single(m => m.WorkerId == id).Votes;
                if (!votes)
                    return Followed(answer, applied);
                answer.InPosition = new InPosition { StateHash = $"state {applied}" };
                return answer;
            case CoordinatorMessage.BodyOneofCase.StartStep:
                pending = message.Step;
                if (!votes)
                    return Followed(answer, pending);
                answer.Vote = new Vote
                {
                    Hash = HashOf(pending),
                    Outcome = Outcome(pending),
                    ShardsComputed = 4,
                    GradientBytesSent = 100,
                    ComputeSeconds = 0.001,
                };
                return answer;
            case CoordinatorMessage.BodyOneofCase.Commit:
                applied = pending;
                return null;
            case CoordinatorMessage.BodyOneofCase.Evaluate:
                answer.Evaluation = new EvaluationPart();
                for (var i = message.Evaluate.FirstBlock; i < message.Evaluate.EndBlock; i++)
                    answer.Evaluation.Blocks.Add(new EvaluationBlock { Index = i, Samples = 50, Top1 = 40, Top5 = 45, LossSum = 12.5 });
                return answer;
            case CoordinatorMessage.BodyOneofCase.WriteCheckpoint:
                answer.Checkpoint = Save(message.WriteCheckpoint);
                return answer;
            default:
                return null;
        }
    }

    private static StepOutcome Outcome(ulong step) => new() { Loss = 1f / step, Samples = 16, Correct = 8, LearningRate = 0.1 };

    private static WorkerMessage Followed(WorkerMessage answer, ulong step)
    {
        answer.Follow = new Follow { Hash = HashOf(step) };
        return answer;
    }

    private CheckpointWritten Save(WriteCheckpoint order)
    {
        var path = Path.Combine(order.Directory, order.File);
        var state = new ReplicaState((long)applied, [applied, 1, 2, 3], new float[4], []);
        var saved = order.WeightsOnly ? WeightsFile.Save(path, Layout, state, id) : CheckpointFile.Save(path, Layout, state, Identity, id);
        return new CheckpointWritten
        {
            File = order.File,
            Path = path,
            Sha256 = saved.Sha256,
            Bytes = (ulong)saved.Bytes,
            WeightsHash = WeightsHash.Compute(Layout, state),
        };
    }

    private async Task BeatAsync(RpcDuplexCall<WorkerMessage, CoordinatorMessage> call, CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        try
        {
            for (var progress = 1UL; await timer.WaitForNextTickAsync(cancellation); progress++)
                await call.WriteAsync(new WorkerMessage { RunId = run, Generation = generation, Heartbeat = new Heartbeat { Progress = progress } }, cancellation);
        }
        catch (Exception e) when (e is OperationCanceledException or RpcException or ObjectDisposedException)
        {
            // The session is over.
        }
    }
}
