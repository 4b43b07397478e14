using AdderNet.Core.Engine;
using AdderNet.Core.Sharding;
using AdderNet.Protos.Rpc;
using AdderNet.Worker.Exchange;
using AdderNet.Worker.Membership;
using AdderNet.Worker.Training;

namespace AdderNet.Worker.Tests.Exchange;

/// <summary>One member's exchange with its real server on loopback.</summary>
internal sealed class ExchangeMember : IAsyncDisposable
{
    public const string Run = "run-1";

    // No time-out of a busy machine ends these exchanges: what ends them is what the tests do.
    private readonly PeerChannels channels = new(null) { Lease = TimeSpan.FromMinutes(2) };
    private readonly Progress progress = new();
    private GradientExchange? exchange;
    private RpcServer server = null!;

    private ExchangeMember(string id)
    {
        Id = id;
        Store = new PieceStore(TimeProvider.System, TimeSpan.FromMinutes(2));
        Service = new ExchangeService(Store);
    }

    public string Id { get; }

    public PieceStore Store { get; }

    public ExchangeService Service { get; }

    public long Step { get; private set; }

    public RemoteMomentMerge Moments { get; private set; } = null!;

    public string Address => server.Address.ToString();

    public static async Task<ExchangeMember> StartAsync(string id)
    {
        var member = new ExchangeMember(id);
        member.server = await RpcServer.StartAsync(
            new RpcServerOptions { Listen = new Uri("http://127.0.0.1:0"), Services = [member.Service] }, CancellationToken.None);
        return member;
    }

    public PullLane Lane(MemberInfo to) => new(to, channels.To(to), Id, progress.Advance, channels.Time);

    public void Enter(GenerationView view, int shards, int length, long bucketBytes, int groupSize = 0)
    {
        Store.BeginGeneration(view.RunId, view.Generation, view.BaseStep);
        Step = view.BaseStep;
        exchange = new GradientExchange(view, Id, shards, length, bucketBytes, groupSize, Store, Lane);
        Moments = new RemoteMomentMerge(view, Id, shards, Store, progress, to => new PullLane(to, channels.To(to, ChannelUse.Meetings), Id, progress.Advance, channels.Time));
    }

    public void BeginStep(long step)
    {
        Step = step;
        Store.BeginStep(step);
        Moments.BeginStep(step);
    }

    public async Task<(float[] Mean, StepCounts Counts)> ReduceAsync(long step, IReadOnlyList<SubtreeSum> sums, int length, CancellationToken cancellation)
    {
        if (Step != step)
            BeginStep(step);
        var mean = new float[length];
        return (mean, await exchange!.ReduceAsync(step, OwnSums.Of(sums), mean, cancellation));
    }

    /// <summary>Begins a step whose sums are still to be computed.</summary>
    public StepReduction Begin(long step, float[] mean)
    {
        Store.BeginStep(step);
        return new StepReduction(exchange!, step, mean);
    }

    /// <summary>Ends the process's side of all connections, as its death would.</summary>
    public async Task DieAsync() => await server.DisposeAsync();

    public async ValueTask DisposeAsync()
    {
        if (exchange is not null)
        {
            await exchange.DisposeAsync();
            await Moments.DisposeAsync();
        }

        await channels.DisposeAsync();
        await server.DisposeAsync();
    }
}
