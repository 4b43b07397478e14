using AdderNet.Protos.Rpc;
using AdderNet.Protos.V1;
using AdderNet.Worker.Membership;
using AdderNet.Worker.Telemetry;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;

namespace AdderNet.Worker.Session;

/// <summary>
/// The worker's stream to the coordinator: says Hello, receives orders, sends reports, and opens the stream again when it
/// breaks, at once, then several times a second while a coordinator may be starting again, then every second, about half a
/// minute long.
/// </summary>
internal sealed class CoordinatorSession : IAsyncDisposable
{
    private const int EagerRetries = 50;
    private const int Retries = 70;
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan EagerDelay = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan PatientDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PingDelay = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Lasting = TimeSpan.FromSeconds(3);

    private readonly IReadOnlyList<RpcChannel> channels;
    private readonly Hello hello;
    private readonly MemberInbox inbox;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly ResiliencePipeline retry;
    private RpcDuplexCall<WorkerMessage, CoordinatorMessage>? call;
    private volatile bool closing;
    private bool joined;
    private int place;

    /// <param name="coordinators">Where to find one: each that fails is followed by the next. At least one.</param>
    /// <param name="options">Certificates and limits.</param>
    /// <param name="hello">What the worker says of itself.</param>
    /// <param name="inbox">Takes what happens.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where to log.</param>
    public CoordinatorSession(
        IEnumerable<Uri> coordinators, RpcChannelOptions? options, Hello hello, MemberInbox inbox, TimeProvider time, ILogger logger)
    {
        var kept = (options ?? new RpcChannelOptions()) with { KeepAlivePingDelay = PingDelay, KeepAlivePingTimeout = PingDelay };
        channels = [.. coordinators.Select(coordinator => RpcChannel.Create(coordinator, kept))];
        this.hello = hello;
        this.inbox = inbox;
        this.time = time;
        this.logger = logger;
        retry = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions
            {
                MaxRetryAttempts = Retries,
                DelayGenerator = attempt => ValueTask.FromResult<TimeSpan?>(
                    attempt.AttemptNumber == 0 ? FirstDelay : attempt.AttemptNumber < EagerRetries ? EagerDelay : PatientDelay),
                ShouldHandle = new PredicateBuilder().Handle<RpcException>(IsTransient),
                OnRetry = attempt =>
                {
                    logger.CoordinatorUnreachable(Channel.Address, attempt.AttemptNumber + 1, Describe(attempt.Outcome.Exception));
                    place++;
                    return default;
                },
            })
            .Build();
    }

    /// <summary>The run that this worker belongs to, from its first Welcome on.</summary>
    public string RunId { get; private set; } = string.Empty;

    /// <summary>To the coordinator that is tried now.</summary>
    private RpcChannel Channel => channels[place % channels.Count];

    /// <summary>Keeps the stream open until cancelled; a coordinator that cannot be reached closes the inbox with a clear line.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                await retry.ExecuteAsync(async token => await ServeAsync(token), cancellation);
                if (closing)
                    return;
                place++;
                await Task.Delay(FirstDelay, time, cancellation);
            }
        }
        catch (Exception e) when (cancellation.IsCancellationRequested && e is OperationCanceledException or RpcException)
        {
            inbox.Close(new OperationCanceledException(cancellation));
        }
        catch (RpcException e)
        {
            inbox.Post(new SessionGivenUp(e.Code == RpcStatusCode.Unimplemented
                ? $"{Channel.Address} is no AdderNet coordinator: {e.Detail}"
                : $"cannot reach the coordinator at {string.Join(" or ", channels.Select(c => c.Address))}: {e.Detail}; start one with 'addernet coordinator --listen {Channel.Address.GetLeftPart(UriPartial.Authority)}'"));
        }
        catch (Exception e)
        {
            inbox.Close(e);
        }
    }

    /// <summary>
    /// Sends a report. Without a stream it is dropped: after a reconnection the member reports all it holds. A cancellation
    /// ends the wait, not the write: half a message cannot be taken back, so it would cost the stream.
    /// </summary>
    public async Task SendAsync(WorkerMessage message, CancellationToken cancellation)
    {
        if (Volatile.Read(ref call) is not { } open)
            return;
        try
        {
            await open.WriteAsync(message, CancellationToken.None).WaitAsync(cancellation);
        }
        catch (Exception e) when (e is RpcException or InvalidOperationException or ObjectDisposedException)
        {
            logger.ReportLost(message.BodyCase.ToString(), e.Message);
        }
    }

    /// <summary>Sends a last report and closes this side; <see cref="RunAsync"/> ends when the coordinator has closed the other.</summary>
    public async Task CloseAsync(WorkerMessage last, CancellationToken cancellation)
    {
        closing = true;
        await SendAsync(last, cancellation);
        if (Volatile.Read(ref call) is { } open)
            await open.CompleteAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var channel in channels)
            await channel.DisposeAsync();
    }

    private static bool IsTransient(RpcException e) => e.Code is RpcStatusCode.Unavailable or RpcStatusCode.Cancelled
        or RpcStatusCode.DeadlineExceeded or RpcStatusCode.Unknown or RpcStatusCode.Internal or RpcStatusCode.Aborted or RpcStatusCode.ResourceExhausted;

    private static string Describe(Exception? e) => e is RpcException rpc ? $"{rpc.Code}: {rpc.Detail}" : e?.Message ?? string.Empty;

    /// <summary>One stream, from Hello to its end. A stream that lasted ends normally, so that the next one has all its retries.</summary>
    private async Task ServeAsync(CancellationToken cancellation)
    {
        var channel = Channel;
        var began = time.GetTimestamp();
        var answered = false;
        await using var stream = channel.Duplex(CoordinationMethods.Session, null, cancellation);
        try
        {
            await stream.WriteAsync(new WorkerMessage { RunId = RunId, Hello = hello }, cancellation);
            Volatile.Write(ref call, stream);
            await foreach (var message in stream.ReadAllAsync(cancellation))
            {
                answered = true;
                if (OrderWire.FromWire(message) is not { } order)
                {
                    logger.UnknownOrder(message.BodyCase.ToString());
                    continue;
                }

                if (order is WelcomeOrder)
                    RunId = order.RunId;
                if (joined || order is not RefusedOrder { Final: false })
                    inbox.Post(new OrderArrived(order));
                joined |= order is WelcomeOrder;
                if (order is RefusedOrder { Final: false } refused)
                {
                    answered = false;
                    throw new RpcException(RpcStatusCode.Unavailable, refused.Reason);
                }
            }
        }
        catch (RpcException e) when (!cancellation.IsCancellationRequested && IsTransient(e)
            && (answered || closing || time.GetElapsedTime(began) > Lasting))
        {
            logger.SessionBroke(channel.Address, Describe(e));
            return;
        }
        finally
        {
            Volatile.Write(ref call, null);
            if (joined)
                inbox.Post(new SessionLost($"the stream to {channel.Address} ended"));
        }

        if (closing)
            return;
        if (!answered)
            throw new RpcException(RpcStatusCode.Unavailable, "the coordinator closed the session without an answer");
        logger.SessionBroke(channel.Address, "the coordinator closed the stream");
    }
}
