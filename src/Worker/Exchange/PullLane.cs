using AdderNet.Protos.Rpc;
using AdderNet.Protos.V1;
using AdderNet.Worker.Membership;

namespace AdderNet.Worker.Exchange;

/// <summary>
/// One long-lived pull call to one neighbour, kept for a generation. One pull at a time; after a failure or
/// a cancellation the lane is spent.
/// </summary>
internal sealed class PullLane(MemberInfo peer, RpcChannel channel, string workerId, Action progress, TimeProvider time) : IAsyncDisposable
{
    /// <summary>Asks for everything at once.</summary>
    public static readonly PieceReadiness Always = static (_, _) => ValueTask.CompletedTask;

    /// <summary>
    /// From one chunk of a piece to the next; more ends the call. A neighbour may take its time to begin one, but then it has all of it.
    /// Whether it lives and its connection carries anything is asked elsewhere: this is for one that answers pings and sends no more.
    /// </summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource life = new();
    private readonly CancellationTokenSource stalled = new(Timeout.InfiniteTimeSpan, time);
    private readonly PieceIntake intake = new();
    private RpcDuplexCall<PullRequest, bool>? call;
    private IAsyncEnumerator<bool>? answers;

    /// <summary>The neighbour.</summary>
    public MemberInfo Peer => peer;

    /// <summary>Asks for pieces and hands over their chunks, in the order asked.</summary>
    /// <param name="wanted">The pieces.</param>
    /// <param name="ready">Awaited before a piece is asked for, so that nothing comes before it can be taken; nor is what a neighbour sends unasked.</param>
    /// <param name="receive">Takes the chunks.</param>
    /// <param name="cancellation">Abandons the pull.</param>
    /// <exception cref="PeerException">The neighbour went away, refused, or answered what it may not.</exception>
    public Task PullAsync(IReadOnlyList<PieceId> wanted, PieceReadiness ready, PieceReceiver receive, CancellationToken cancellation) =>
        PullAsync(wanted, ready, receive, null, cancellation);

    /// <summary>The same, putting what can be put right where it belongs.</summary>
    /// <exception cref="PeerException">The neighbour went away, refused, or answered what it may not.</exception>
    public Task PullAsync(IReadOnlyList<PieceId> wanted, PieceReadiness ready, PieceReceiver receive, PiecePlace? place, CancellationToken cancellation) =>
        TakeAsync(wanted, wanted, ready, receive, place, cancellation);

    /// <summary>Takes the meeting's moments that come, unasked, after those of the meeting before it in the same step.</summary>
    /// <exception cref="PeerException">As for <see cref="PullAsync(IReadOnlyList{PieceId}, PieceReadiness, PieceReceiver, CancellationToken)"/>.</exception>
    public Task FollowAsync(PieceId meeting, PieceReceiver receive, CancellationToken cancellation) =>
        TakeAsync([], [meeting], Always, receive, null, cancellation);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await life.CancelAsync();
        if (answers is not null)
            await answers.DisposeAsync();
        if (call is not null)
            await call.DisposeAsync();
        stalled.Dispose();
        life.Dispose();
    }

    private async Task TakeAsync(
        IReadOnlyList<PieceId> asked, IReadOnlyList<PieceId> expected, PieceReadiness ready, PieceReceiver receive, PiecePlace? place, CancellationToken cancellation)
    {
        await using var abort = cancellation.UnsafeRegister(static s => ((CancellationTokenSource)s!).Cancel(), life);
        await using var stall = stalled.Token.UnsafeRegister(static s => ((CancellationTokenSource)s!).Cancel(), life);
        try
        {
            call ??= channel.Duplex(GradientExchangeMethods.PullWith(intake), null, life.Token);
            answers ??= call.ReadAllAsync(life.Token).GetAsyncEnumerator(life.Token);
            var asking = AskAsync(call, asked, ready);
            try
            {
                foreach (var id in expected)
                {
                    await ready(id, life.Token);
                    await ReadAsync(answers, id, receive, place);
                }
            }
            catch
            {
                await life.CancelAsync();
                throw;
            }
            finally
            {
                await asking;
            }
        }
        catch (Exception e) when (cancellation.IsCancellationRequested && e is RpcException or OperationCanceledException)
        {
            throw new OperationCanceledException("The pull was abandoned.", e, cancellation);
        }
        catch (Exception e) when (stalled.IsCancellationRequested && e is RpcException or OperationCanceledException)
        {
            throw new PeerException(peer.WorkerId, $"worker {peer.WorkerId} at {peer.Address} stopped within a piece and sent nothing for {LongestPause.TotalSeconds:0} s", e);
        }
        catch (RpcException e) when (e.InnerException is FormatException wrong)
        {
            throw Broken(wrong);
        }
        catch (RpcException e)
        {
            throw new PeerException(peer.WorkerId, $"worker {peer.WorkerId} at {peer.Address}: {e.Code}: {e.Detail}", e);
        }
        catch (FormatException e)
        {
            throw Broken(e);
        }
    }

    private async Task AskAsync(RpcDuplexCall<PullRequest, bool> to, IReadOnlyList<PieceId> wanted, PieceReadiness ready)
    {
        try
        {
            foreach (var id in wanted)
            {
                await ready(id, life.Token);
                await to.WriteAsync(PieceWire.Request(id, workerId), life.Token);
            }
        }
        catch (Exception e) when (e is RpcException || (e is OperationCanceledException && life.IsCancellationRequested))
        {
            // A call that ended takes no more requests; why it ended comes with its answers.
        }
    }

    private PeerException Broken(FormatException wrong) =>
        new(peer.WorkerId, $"worker {peer.WorkerId} at {peer.Address} broke the protocol: {wrong.Message}", wrong);

    private async Task ReadAsync(IAsyncEnumerator<bool> from, PieceId id, PieceReceiver receive, PiecePlace? place)
    {
        intake.Expect(id, receive, place);
        var complete = false;
        while (!complete)
        {
            if (!await from.MoveNextAsync())
                throw new FormatException($"the stream ended before {id} was complete");
            complete = from.Current;
            stalled.CancelAfter(complete ? Timeout.InfiniteTimeSpan : LongestPause);
            progress();
        }
    }
}

/// <summary>Ends when a piece may be asked for.</summary>
internal delegate ValueTask PieceReadiness(PieceId id, CancellationToken cancellation);

/// <summary>A neighbour could not give what this member needs.</summary>
internal sealed class PeerException(string peer, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Worker id of the neighbour.</summary>
    public string Peer { get; } = peer;
}
