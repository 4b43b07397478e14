using AdderNet.Core.Sharding;
using AdderNet.Protos.Rpc;
using AdderNet.Protos.V1;
using AdderNet.Worker.Membership;

namespace AdderNet.Worker.Exchange;

/// <summary>A part of one node's payload as it arrives.</summary>
internal readonly ref struct PieceChunk
{
    public required PieceId Id { get; init; }
    public required TreeNodeId Node { get; init; }

    /// <summary>Bytes of the whole node.</summary>
    public required long NodeBytes { get; init; }

    /// <summary>First byte of <see cref="Payload"/> within the node.</summary>
    public required int Offset { get; init; }
    public required ReadOnlySpan<byte> Payload { get; init; }

    /// <summary>Counts of the node.</summary>
    public required StepCounts Counts { get; init; }

    /// <summary>Whether the node is complete with this chunk.</summary>
    public bool EndsNode => Offset + Payload.Length == NodeBytes;
}

/// <summary>Takes chunks in order, from one lane at a time. Throws <see cref="FormatException"/> for what cannot be.</summary>
internal delegate void PieceReceiver(PieceChunk chunk);

/// <summary>
/// One long-lived pull call to one neighbour, kept for a generation. One <see cref="PullAsync"/> at a time; after a failure or
/// a cancellation the lane is spent.
/// </summary>
internal sealed class PullLane(MemberInfo peer, RpcChannel channel, string workerId, Action progress) : IAsyncDisposable
{
    private readonly CancellationTokenSource life = new();
    private RpcDuplexCall<PullRequest, Piece>? call;
    private IAsyncEnumerator<Piece>? answers;

    /// <summary>The neighbour.</summary>
    public MemberInfo Peer => peer;

    /// <summary>Asks for pieces and hands over their chunks, in the order asked.</summary>
    /// <exception cref="PeerException">The neighbour went away, refused, or answered what it may not.</exception>
    public async Task PullAsync(IReadOnlyList<PieceId> wanted, PieceReceiver receive, CancellationToken cancellation)
    {
        await using var abort = cancellation.UnsafeRegister(static s => ((CancellationTokenSource)s!).Cancel(), life);
        try
        {
            call ??= channel.Duplex(GradientExchangeMethods.Pull, null, life.Token);
            answers ??= call.ReadAllAsync(life.Token).GetAsyncEnumerator(life.Token);
            await AskAsync(call, wanted);
            foreach (var id in wanted)
                await ReadAsync(answers, id, receive);
        }
        catch (Exception e) when (cancellation.IsCancellationRequested && e is RpcException or OperationCanceledException)
        {
            throw new OperationCanceledException("The pull was abandoned.", e, cancellation);
        }
        catch (RpcException e)
        {
            throw new PeerException(peer.WorkerId, $"worker {peer.WorkerId} at {peer.Address}: {e.Code}: {e.Detail}", e);
        }
        catch (FormatException e)
        {
            throw new PeerException(peer.WorkerId, $"worker {peer.WorkerId} at {peer.Address} broke the protocol: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await life.CancelAsync();
        if (answers is not null)
            await answers.DisposeAsync();
        if (call is not null)
            await call.DisposeAsync();
        life.Dispose();
    }

    private async Task AskAsync(RpcDuplexCall<PullRequest, Piece> to, IReadOnlyList<PieceId> wanted)
    {
        try
        {
            foreach (var id in wanted)
                await to.WriteAsync(PieceWire.Request(id, workerId), life.Token);
        }
        catch (RpcException) when (!life.IsCancellationRequested)
        {
            // A call that ended takes no more requests; why it ended comes with its answers.
        }
    }

    private async Task ReadAsync(IAsyncEnumerator<Piece> from, PieceId id, PieceReceiver receive)
    {
        var key = PieceWire.Key(id);
        Piece? first = null;
        var received = 0L;
        while (true)
        {
            if (!await from.MoveNextAsync())
                throw new FormatException($"the stream ended before {id} was complete");
            var piece = from.Current;
            if (!key.Equals(piece.Key))
                throw new FormatException($"asked for {id}, received another piece");
            if (first is null || received == (long)first.NodeBytes)
                (first, received) = (piece, 0);
            if (piece.Level > 30 || piece.Node > int.MaxValue || piece.Level != first.Level || piece.Node != first.Node || piece.NodeBytes != first.NodeBytes)
                throw new FormatException($"a node of {id} changed before it was complete");
            if (piece.Offset != (ulong)received || piece.NodeBytes > int.MaxValue || received + piece.Payload.Length > (long)piece.NodeBytes)
                throw new FormatException($"offset {piece.Offset} of {id} does not follow {received}");
            if (piece.Payload.Length == 0 && piece.NodeBytes > 0)
                throw new FormatException($"an empty chunk of {id}");

            receive(new PieceChunk
            {
                Id = id,
                Node = new TreeNodeId((int)piece.Level, (int)piece.Node),
                NodeBytes = (long)piece.NodeBytes,
                Offset = (int)received,
                Payload = piece.Payload.Span,
                Counts = PieceWire.FromWire(first.Counts),
            });
            received += piece.Payload.Length;
            progress();
            if (!piece.Last)
                continue;
            if (received != (long)piece.NodeBytes)
                throw new FormatException($"{id} ended before its node was complete");
            return;
        }
    }
}

/// <summary>A neighbour could not give what this member needs.</summary>
internal sealed class PeerException(string peer, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Worker id of the neighbour.</summary>
    public string Peer { get; } = peer;
}
