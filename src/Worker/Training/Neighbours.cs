using AdderNet.Core.Engine;
using AdderNet.Protos.Rpc;
using AdderNet.Worker.Exchange;
using AdderNet.Worker.Membership;
using AdderNet.Worker.Transfer;

namespace AdderNet.Worker.Training;

/// <summary>All that this worker has to do with other workers: what it serves to them and how it reaches them.</summary>
internal sealed class Neighbours : IAsyncDisposable
{
    /// <summary>Bytes of a request: neighbours send names and numbers only.</summary>
    public const int LargestRequest = 64 << 10;

    /// <summary>Calls of a neighbour at once: those of a generation that ends and of the one that begins, with room. 4 MiB of requests at most.</summary>
    public const int MostCalls = 64;

    private static readonly TimeSpan LongestPull = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LongestDownloadWait = TimeSpan.FromSeconds(30);
    private readonly ExchangeService exchange;
    private readonly TimeProvider time;
    private NeighbourWatch? watch;
    private long reported;

    public Neighbours(RpcChannelOptions? channel, TimeProvider time)
    {
        this.time = time;
        Store = new PieceStore(time, LongestPull);
        Shelf = new SnapshotShelf(time, LongestDownloadWait);
        Channels = new PeerChannels(channel);
        exchange = new ExchangeService(Store);
        Services = [exchange, new StateTransferService(Shelf)];
    }

    /// <summary>Pieces of gradients and moments on offer.</summary>
    public PieceStore Store { get; }

    /// <summary>The state on offer.</summary>
    public SnapshotShelf Shelf { get; }

    /// <summary>Connections to other workers.</summary>
    public PeerChannels Channels { get; }

    /// <summary>What this worker's server serves.</summary>
    public IReadOnlyList<IRpcService> Services { get; }

    /// <summary>Who of the other voters gives no sign of life.</summary>
    /// <exception cref="InvalidOperationException">This worker was not welcomed yet.</exception>
    public NeighbourWatch Watch => watch ?? throw new InvalidOperationException("This worker was not welcomed into a run yet.");

    /// <summary>A coordinator welcomed this worker: its run's lease is the patience with neighbours.</summary>
    public void Join(TimeSpan lease)
    {
        Channels.Lease = lease;
        watch = new NeighbourWatch(Channels, lease, time);
    }

    /// <summary>Gradient bytes sent since the last call.</summary>
    public long TakeGradientBytes()
    {
        var sent = exchange.GradientBytesSent;
        var fresh = sent - reported;
        reported = sent;
        return fresh;
    }

    /// <summary>Takes the base's state from the first source that can give it.</summary>
    public async Task<byte[]> DownloadAsync(
        GenerationView view, IReadOnlyList<MemberInfo> sources, ModelLayout layout, Progress progress, CancellationToken cancellation)
    {
        const int Header = 4 << 20;
        var most = (sizeof(float) * ((2L * layout.ParameterLength) + layout.StatisticsLength)) + Header;
        return await new StateDownload(Channels, most, progress.Advance).FetchAsync(view, sources, cancellation);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (watch is not null)
            await watch.DisposeAsync();
        await Channels.DisposeAsync();
    }
}
