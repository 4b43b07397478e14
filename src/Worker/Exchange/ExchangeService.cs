using AdderNet.Protos.Rpc;
using AdderNet.Protos.V1;
using AdderNet.Worker.Telemetry;

namespace AdderNet.Worker.Exchange;

/// <summary>Serves this member's pieces: requests of one call are answered in their order, each once its piece exists.</summary>
internal sealed class ExchangeService(PieceStore store) : IRpcService
{
    private long gradientBytes;

    /// <summary>Bytes of subtree sums and means sent so far, to all members.</summary>
    public long GradientBytesSent => Interlocked.Read(ref gradientBytes);

    /// <inheritdoc/>
    public void Bind(RpcServiceBinder binder)
    {
        binder.Duplex(GradientExchangeMethods.PullWith(new PieceWriter()), PullAsync);
        binder.Unary(GradientExchangeMethods.Ping, (_, _) => Task.FromResult(new PingReply()));
    }

    private async Task PullAsync(IAsyncEnumerable<PullRequest> requests, IRpcWriter<PieceMessage> writer, RpcServerContext context)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, context.ServerStopping);
        try
        {
            await foreach (var request in requests.WithCancellation(either.Token))
                await AnswerAsync(Parse(request), writer, either.Token);
        }
        catch (OperationCanceledException) when (context.ServerStopping.IsCancellationRequested)
        {
            throw new RpcException(RpcStatusCode.Unavailable, "this worker is leaving");
        }
    }

    private async Task AnswerAsync(PieceId id, IRpcWriter<PieceMessage> writer, CancellationToken cancellation)
    {
        await SendAsync(id, await FindAsync(id, cancellation), writer);
        if (id.Sort != PieceSort.Statistics)
            return;

        // Meetings are asked for once a step: the following ones leave as soon as they are there.
        while (await store.FollowAsync(id = id with { Index = id.Index + 1 }, cancellation) is { } next)
            await SendAsync(id, next, writer);
    }

    private async Task SendAsync(PieceId id, IReadOnlyList<PieceNode> nodes, IRpcWriter<PieceMessage> writer)
    {
        foreach (var message in PieceWire.Messages(id, nodes))
        {
            // Counted before they leave: a vote that follows from them must already contain them.
            WorkerTelemetry.BytesSent.Add(message.Payload.Length);
            if (id.Sort != PieceSort.Statistics)
                Interlocked.Add(ref gradientBytes, message.Payload.Length);
            await writer.WriteAsync(message, CancellationToken.None); // the call's own end cancels it
        }
    }

    private static PieceId Parse(PullRequest request)
    {
        try
        {
            return PieceWire.Id(request.Key);
        }
        catch (FormatException e)
        {
            throw new RpcException(RpcStatusCode.InvalidArgument, e.Message);
        }
    }

    private async ValueTask<IReadOnlyList<PieceNode>> FindAsync(PieceId id, CancellationToken cancellation)
    {
        try
        {
            return await store.WaitAsync(id, cancellation);
        }
        catch (PieceRefusedException e)
        {
            throw new RpcException(e.Stale ? RpcStatusCode.FailedPrecondition : RpcStatusCode.DeadlineExceeded, e.Message);
        }
    }
}
