using System.Collections.Concurrent;
using System.Threading.Channels;
using AdderNet.Protos.Rpc;
using AdderNet.Protos.V1;

namespace AdderNet.Worker.Tests.Training;

/// <summary>The coordinator's end of worker sessions, over real gRPC, with a test in place of its decisions.</summary>
internal sealed class CoordinatorScript : IRpcService, IAsyncDisposable
{
    public const string Run = "run-1";
    private readonly Channel<ScriptedSession> arrivals = Channel.CreateUnbounded<ScriptedSession>();
    private readonly string description;
    private RpcServer server = null!;

    private CoordinatorScript(string description) => this.description = description;

    public Uri Address => server.Address;

    public static async Task<CoordinatorScript> StartAsync(string description)
    {
        var script = new CoordinatorScript(description);
        script.server = await RpcServer.StartAsync(
            new RpcServerOptions { Listen = new Uri("http://127.0.0.1:0"), Services = [script], GracePeriod = TimeSpan.FromMilliseconds(100) }, CancellationToken.None);
        return script;
    }

    public void Bind(RpcServiceBinder binder) => binder.Duplex(CoordinationMethods.Session, ServeAsync);

    /// <summary>The next session, after its Hello and before any answer.</summary>
    public async Task<ScriptedSession> AcceptAsync(CancellationToken cancellation) => await arrivals.Reader.ReadAsync(cancellation);

    /// <summary>The next worker, welcomed and prepared.</summary>
    public async Task<ScriptedSession> WelcomeAsync(CancellationToken cancellation)
    {
        var session = await AcceptAsync(cancellation);
        await session.SendAsync(0, 0, m => m.Welcome = new Welcome
        {
            WorkerId = session.Hello.WorkerId,
            Description = description,
            HeartbeatMs = 50,
            LeaseMs = 60_000, // no member is slow to answer, however busy the machine is
        });
        session.Prepared = (await session.ExpectAsync(WorkerMessage.BodyOneofCase.Prepared, cancellation)).Prepared;
        return session;
    }

    public async ValueTask DisposeAsync() => await server.DisposeAsync();

    private async Task ServeAsync(IAsyncEnumerable<WorkerMessage> requests, IRpcWriter<CoordinatorMessage> writer, RpcServerContext context)
    {
        ScriptedSession? session = null;
        try
        {
            await foreach (var message in requests.WithCancellation(context.CancellationToken))
            {
                if (session is null)
                {
                    session = new ScriptedSession(message, writer);
                    await arrivals.Writer.WriteAsync(session);
                }
                else
                {
                    await session.TakeAsync(message);
                }

                if (session.Broken)
                    throw new RpcException(RpcStatusCode.Unavailable, "the test broke the stream");
            }
        }
        catch (OperationCanceledException)
        {
            // The worker's process ended.
        }
        finally
        {
            session?.End();
        }
    }
}

/// <summary>One worker's session.</summary>
internal sealed class ScriptedSession(WorkerMessage first, IRpcWriter<CoordinatorMessage> writer)
{
    private readonly Channel<WorkerMessage> received = Channel.CreateUnbounded<WorkerMessage>();
    private long newest;

    public Hello Hello => first.Hello;

    public string RunId => first.RunId;

    public Prepared Prepared { get; set; } = new();

    public ConcurrentQueue<Heartbeat> Heartbeats { get; } = new();

    /// <summary>Breaks the stream at the next message that the worker sends (a heartbeat will do).</summary>
    public bool Broken { get; set; }

    /// <summary>Takes a message; a worker that asks to leave is released at once.</summary>
    public async Task TakeAsync(WorkerMessage message)
    {
        if (message.BodyCase == WorkerMessage.BodyOneofCase.Heartbeat)
            Heartbeats.Enqueue(message.Heartbeat);
        else if (message is { BodyCase: WorkerMessage.BodyOneofCase.Leave, Leave.Asks: true })
            await SendAsync(0, 0, m => m.Released = new Released { Reason = message.Leave.Reason });
        else
            received.Writer.TryWrite(message);
    }

    public void End() => received.Writer.TryComplete();

    public async Task SendAsync(long generation, long step, Action<CoordinatorMessage> body)
    {
        newest = Math.Max(newest, generation);
        var message = new CoordinatorMessage { RunId = CoordinatorScript.Run, Generation = (ulong)generation, Step = (ulong)step };
        body(message);
        await writer.WriteAsync(message);
    }

    /// <summary>The next message, which must be of this kind; a failure in a generation that is over is passed over, as a coordinator does.</summary>
    public async Task<WorkerMessage> ExpectAsync(WorkerMessage.BodyOneofCase kind, CancellationToken cancellation)
    {
        var message = await received.Reader.ReadAsync(cancellation);
        while (message.BodyCase == WorkerMessage.BodyOneofCase.PhaseFailed && message.Generation < (ulong)newest)
            message = await received.Reader.ReadAsync(cancellation);
        return message.BodyCase == kind
            ? message
            : throw new InvalidOperationException($"expected {kind}, {Hello.WorkerId} sent {message}");
    }
}
