using System.Security.Cryptography;
using AdderNet.Protos.Rpc;
using AdderNet.Protos.V1;

namespace AdderNet.Cli.Benchmarks.Coordinator;

/// <summary>
/// A worker that speaks the whole protocol over a gRPC connection of its own but computes nothing: hashes are functions of
/// the step, so all agree, and a step takes as long as the beat says.
/// </summary>
internal sealed class SimulatedWorker : IAsyncDisposable
{
    /// <summary>What it tells of the synthetic data.</summary>
    private const uint TrainSamples = 4096, TestSamples = 1024;

    private static readonly TimeSpan HeartbeatPeriod = TimeSpan.FromMilliseconds(500);

    private static readonly byte[] State = "simulated"u8.ToArray();

    private readonly RpcChannel channel;
    private readonly StepBeat beat;
    private readonly CommitLatencies latencies;
    private readonly TimeProvider clock;
    private readonly string id;
    private readonly int place;
    private string run = "";
    private ulong generation;
    private ulong applied;
    private bool votes;

    /// <param name="coordinator">Where it listens.</param>
    /// <param name="place">Number of the worker, from 0.</param>
    /// <param name="beat">When steps are done computing.</param>
    /// <param name="latencies">Told of votes and commits.</param>
    /// <param name="clock">The clock.</param>
    public SimulatedWorker(Uri coordinator, int place, StepBeat beat, CommitLatencies latencies, TimeProvider clock)
    {
        channel = RpcChannel.Create(coordinator);
        (this.place, this.beat, this.latencies, this.clock) = (place, beat, latencies, clock);
        id = FormattableString.Invariant($"simulated-{place}");
    }

    /// <summary>Takes part until the run ends or the token is cancelled.</summary>
    /// <returns>Why it ended.</returns>
    public async Task<string> RunAsync(CancellationToken cancellation)
    {
        await using var call = channel.Duplex(CoordinationMethods.Session, null, cancellation);
        await call.WriteAsync(new WorkerMessage { Hello = Hello() }, CancellationToken.None).ConfigureAwait(false);
        using var beating = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var beats = BeatAsync(call, beating.Token);
        try
        {
            await foreach (var message in call.ReadAllAsync(cancellation).ConfigureAwait(false))
            {
                switch (message.BodyCase)
                {
                    case CoordinatorMessage.BodyOneofCase.RunEnded:
                        return message.RunEnded.Reason;
                    case CoordinatorMessage.BodyOneofCase.Refused:
                        return message.Refused.Reason;
                    case CoordinatorMessage.BodyOneofCase.Commit:
                        latencies.Committed(run, applied = message.Step);
                        break;
                    case CoordinatorMessage.BodyOneofCase.StartStep when !votes:
                        await call.WriteAsync(Answer(message, answer => answer.Follow = new Follow { Hash = HashOf(message.Step) }), CancellationToken.None).ConfigureAwait(false);
                        break;
                    case CoordinatorMessage.BodyOneofCase.StartStep:
                        await beat.ComputedAsync(place, cancellation).ConfigureAwait(false);
                        latencies.Voting(run, message.Step);
                        await call.WriteAsync(Answer(message, answer => answer.Vote = Vote(message.Step)), CancellationToken.None).ConfigureAwait(false);
                        break;
                    default:
                        if (Respond(message) is { } reply)
                            await call.WriteAsync(reply, CancellationToken.None).ConfigureAwait(false);
                        break;
                }
            }

            return "the coordinator closed the session";
        }
        finally
        {
            await beating.CancelAsync().ConfigureAwait(false);
            await beats.ConfigureAwait(false);
        }
    }

    public ValueTask DisposeAsync() => channel.DisposeAsync();

    private static ulong HashOf(ulong step) => 0x1000 + step;

    private static StepOutcome Outcome(ulong step) => new() { Loss = 1f / step, Samples = 512, Correct = 256, LearningRate = 0.1 };

    private static Vote Vote(ulong step) => new()
    {
        Hash = HashOf(step),
        Outcome = Outcome(step),
        ShardsComputed = 1,
        GradientBytesSent = 1 << 20,
        ComputeSeconds = 0.1,
    };

    private static EvaluationPart Evaluated(Evaluate order)
    {
        var part = new EvaluationPart();
        for (var block = order.FirstBlock; block < order.EndBlock; block++)
            part.Blocks.Add(new EvaluationBlock { Index = block, Samples = order.BlockSize, Top1 = 1, Top5 = 2, LossSum = 3 });
        return part;
    }

    /// <summary>A file where a checkpoint would be: the coordinator looks for it and its hash.</summary>
    private static CheckpointWritten Write(WriteCheckpoint order)
    {
        var path = Path.Combine(order.Directory, order.File);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, State);
        return new CheckpointWritten
        {
            Path = path,
            File = order.File,
            Sha256 = Convert.ToHexStringLower(SHA256.HashData(State)),
            Bytes = (ulong)State.Length,
            WeightsHash = new string('0', 64),
        };
    }

    private Hello Hello() => new()
    {
        Build = "simulated",
        NumericsVersion = 1,
        Engine = "simulated",
        ProbeHash = "simulated",
        Address = FormattableString.Invariant($"http://127.0.0.1:{1 + place}"),
        Threads = 1,
        Host = "simulated",
        ProcessId = (uint)Environment.ProcessId,
        WorkerId = id,
    };

    private WorkerMessage Answer(CoordinatorMessage message, Action<WorkerMessage> fill)
    {
        var answer = new WorkerMessage { RunId = run, Generation = message.Generation, Step = message.Step };
        fill(answer);
        return answer;
    }

    private WorkerMessage? Respond(CoordinatorMessage message)
    {
        switch (message.BodyCase)
        {
            case CoordinatorMessage.BodyOneofCase.Welcome:
                run = message.RunId;
                return Answer(message, answer =>
                {
                    answer.Prepared = new Prepared
                    {
                        RunIdentity = new string('1', 64),
                        DataManifestHash = "simulated",
                        TrainSamples = TrainSamples,
                        TestSamples = TestSamples,
                        ReachToken = File.ReadAllText(Path.Combine(message.Welcome.Output, message.Welcome.TokenFile)),
                        Report = new MemberReport { StateHash = "state 0" },
                    };
                });
            case CoordinatorMessage.BodyOneofCase.GenerationStarted:
                generation = message.Generation;
                applied = message.GenerationStarted.BaseStep;
                votes = message.GenerationStarted.Members.Single(member => member.WorkerId == id).Votes;
                return Answer(message, answer =>
                {
                    if (votes)
                        answer.InPosition = new InPosition { StateHash = $"state {applied}" };
                    else
                        answer.Follow = new Follow { Hash = HashOf(applied) };
                });
            case CoordinatorMessage.BodyOneofCase.Evaluate:
                return Answer(message, answer => answer.Evaluation = Evaluated(message.Evaluate));
            case CoordinatorMessage.BodyOneofCase.WriteCheckpoint:
                return Answer(message, answer => answer.Checkpoint = Write(message.WriteCheckpoint));
            default:
                return null;
        }
    }

    private async Task BeatAsync(RpcDuplexCall<WorkerMessage, CoordinatorMessage> call, CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(HeartbeatPeriod, clock);
        try
        {
            for (var progress = 1UL; await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false); progress++)
            {
                await call.WriteAsync(
                    new WorkerMessage { RunId = run, Generation = generation, Heartbeat = new Heartbeat { Progress = progress } }, CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or RpcException or ObjectDisposedException or InvalidOperationException)
        {
            // The session is over.
        }
    }
}
