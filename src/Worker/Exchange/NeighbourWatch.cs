using AdderNet.Protos.Rpc;
using AdderNet.Protos.V1;
using AdderNet.Worker.Membership;

namespace AdderNet.Worker.Exchange;

/// <summary>
/// Keeps asking the other voters for a sign of life while nothing else comes from them, so that heartbeats can tell the
/// coordinator which links carry nothing.
/// </summary>
internal sealed class NeighbourWatch : IAsyncDisposable
{
    private static readonly PingRequest Question = new();
    private readonly PeerChannels channels;
    private readonly TimeSpan period;
    private readonly TimeProvider time;
    private readonly long started;
    private readonly Silence silence;
    private readonly CancellationTokenSource stop = new();
    private readonly AutoResetEvent changed = new(false);
    private readonly Task watching;
    private IReadOnlyDictionary<string, RpcChannel> links = new Dictionary<string, RpcChannel>();
    private IReadOnlyList<string> silent = [];

    /// <param name="channels">To the neighbours.</param>
    /// <param name="lease">elastic.lease_ms.</param>
    /// <param name="time">The clock.</param>
    public NeighbourWatch(PeerChannels channels, TimeSpan lease, TimeProvider time)
    {
        this.channels = channels;
        this.time = time;
        period = Silence.Period(lease);
        silence = new Silence(lease);
        started = time.GetTimestamp();
        watching = WatchAsync();
    }

    /// <summary>Worker ids of voters from whom nothing came for a lease.</summary>
    public IReadOnlyList<string> Silent => Volatile.Read(ref silent);

    /// <summary>Set when <see cref="Silent"/> has changed: the coordinator should hear of it at once. For one waiting thread.</summary>
    public WaitHandle Changed => changed;

    private TimeSpan Now => time.GetElapsedTime(started);

    /// <summary>From now on the other voters of this generation are watched; by an observer, nobody is.</summary>
    /// <exception cref="PeerException">A member's address is none.</exception>
    public void Follow(GenerationView view, string workerId)
    {
        var others = view.Find(workerId) is { Votes: true } ? view.Members.Where(m => m.Votes && m.WorkerId != workerId) : [];
        var next = others.ToDictionary(m => m.WorkerId, m => channels.To(m, ChannelUse.Meetings), StringComparer.Ordinal);
        silence.Follow([.. next.Keys], Now);
        Volatile.Write(ref links, next);
    }

    /// <summary>Something came from a neighbour.</summary>
    public void Heard(string neighbour) => silence.Heard(neighbour, Now);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await watching;
        stop.Dispose();
        changed.Dispose();
    }

    private async Task WatchAsync()
    {
        var asked = new Dictionary<string, Task>(StringComparer.Ordinal);
        try
        {
            using var timer = new PeriodicTimer(period, time);
            while (await timer.WaitForNextTickAsync(stop.Token))
            {
                var (ask, mute) = silence.Look(Now);
                if (!mute.SequenceEqual(silent, StringComparer.Ordinal))
                {
                    Volatile.Write(ref silent, mute);
                    changed.Set();
                }

                foreach (var neighbour in ask)
                {
                    if (Volatile.Read(ref links).TryGetValue(neighbour, out var link) && asked.GetValueOrDefault(neighbour) is null or { IsCompleted: true })
                        asked[neighbour] = AskAsync(neighbour, link);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The worker leaves the run.
        }

        await Task.WhenAll(asked.Values);
    }

    private async Task AskAsync(string neighbour, RpcChannel link)
    {
        try
        {
            await link.UnaryAsync(GradientExchangeMethods.Ping, Question, null, stop.Token);
            silence.Heard(neighbour, Now);
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException or ObjectDisposedException)
        {
            // No answer is what silence is.
        }
    }
}
