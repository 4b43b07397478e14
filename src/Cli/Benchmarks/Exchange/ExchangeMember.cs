using System.Globalization;
using System.Runtime;
using AdderNet.Core.Engine;
using AdderNet.Core.Sharding;
using AdderNet.Protos.Rpc;
using AdderNet.Worker;
using AdderNet.Worker.Exchange;
using AdderNet.Worker.Membership;

namespace AdderNet.Cli.Benchmarks.Exchange;

/// <summary>
/// One process of <c>bench exchange</c>: the worker's own exchange without the training. It does what each line of its input
/// asks, and answers with one line: <c>members URL|PORT...</c> forms the generation, <c>reduce STEP</c> and <c>check</c> the result,
/// <c>compiling</c> tells how long its just-in-time compiler has worked so far, <c>meet STEP</c> holds the meetings of global batch norm,
/// <c>plain|piece|http-keep FROM</c> fetch a vector from another member into one of this member's, <c>piece-drop FROM</c> one that is thrown away,
/// <c>http|tcp FROM BYTES</c> bytes from a small buffer that are thrown away, <c>http-all BYTES</c> such from each other at once.
/// </summary>
internal sealed class ExchangeMember : IAsyncDisposable
{
    private const string Run = "bench";

    /// <summary>A mean beside those of the buckets, under which the whole vector is served on one stream.</summary>
    private const int Whole = 1 << 30;

    private readonly PieceStore store = new(TimeProvider.System, TimeSpan.FromMinutes(1));
    private readonly PeerChannels channels = new(null);
    private readonly PlainTransfers plain;
    private readonly HttpMessageInvoker http = new(new SocketsHttpHandler { InitialHttp2StreamWindowSize = 16 << 20 });
    private readonly int index;
    private readonly int length;
    private readonly long bucketBytes;
    private readonly int groupSize;
    private readonly byte[] landing;
    private readonly byte[] dropped = new byte[PlainTransfers.Megabyte];
    private RpcServer? server;
    private GradientExchange? exchange;
    private RemoteMomentMerge? moments;
    private BatchNormMeetings? meetings;
    private Uri[] addresses = [];
    private int[] ports = [];
    private List<PullLane> single = [];
    private IReadOnlyList<SubtreeSum> sums = [];
    private float[] mean = [];
    private int shards;
    private long step;

    /// <param name="index">Its place among the members.</param>
    /// <param name="length">Elements of the reduction vector.</param>
    /// <param name="bucketBytes">Target size of a bucket.</param>
    /// <param name="groupSize">As <c>exchange.group_size</c>.</param>
    public ExchangeMember(int index, int length, long bucketBytes, int groupSize)
    {
        (this.index, this.length, this.bucketBytes, this.groupSize) = (index, length, bucketBytes, groupSize);
        var vector = new byte[length * sizeof(float)];
        Array.Fill<byte>(vector, 1); // memory never written is one page of zeros, which is always in the cache
        plain = new PlainTransfers(vector);
        landing = new byte[vector.Length];
    }

    /// <summary>Element <paramref name="i"/> of a shard's gradient: any sum of these over the shards of a run is exact.</summary>
    public static float Value(int shard, int i) => ((i % 1021) - 510 + (shard * 3)) / 64f;

    /// <summary>Serves until the input ends.</summary>
    public async Task ServeAsync(TextReader input, TextWriter output, CancellationToken cancellation)
    {
        server = await RpcServer.StartAsync(
            new RpcServerOptions { Listen = new Uri("http://127.0.0.1:0"), Services = [new ExchangeService(store), plain], Routes = plain.Map }, cancellation).ConfigureAwait(false);
        await output.WriteLineAsync($"{server.Address} {plain.TcpPort}").ConfigureAwait(false);
        while (await input.ReadLineAsync(cancellation).ConfigureAwait(false) is { } line)
        {
            var words = line.Split(' ');
            var before = GC.GetTotalAllocatedBytes();
            var answer = await DoAsync(words, cancellation).ConfigureAwait(false);
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{answer} {GC.GetTotalAllocatedBytes() - before}")).ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (exchange is not null)
            await exchange.DisposeAsync().ConfigureAwait(false);
        if (moments is not null)
            await moments.DisposeAsync().ConfigureAwait(false);
        foreach (var lane in single)
            await lane.DisposeAsync().ConfigureAwait(false);
        await channels.DisposeAsync().ConfigureAwait(false);
        if (server is not null)
            await server.DisposeAsync().ConfigureAwait(false);
        await plain.DisposeAsync().ConfigureAwait(false);
        http.Dispose();
    }

    private async Task<string> DoAsync(string[] words, CancellationToken cancellation)
    {
        int Number(int place) => int.Parse(words[place], CultureInfo.InvariantCulture);
        switch (words[0])
        {
            case "members":
                Form(words[1..]);
                return "formed";
            case "reduce":
                return await ReduceAsync(Number(1), cancellation).ConfigureAwait(false);
            case "check":
                return Check() is { } wrong ? $"element {wrong} is {mean[wrong]}" : "right";
            case "compiling":
                return JitInfo.GetCompilationTime().Ticks.ToString(CultureInfo.InvariantCulture);
            case "meet":
                store.BeginStep(Number(1));
                await meetings!.RunAsync(Number(1), cancellation).ConfigureAwait(false);
                return "done";
            case "http":
                await PlainTransfers.ReadHttpAsync(http, addresses[Number(1)], Number(2), cancellation).ConfigureAwait(false);
                return "done";
            case "http-keep":
                await PlainTransfers.ReadHttpAsync(http, addresses[Number(1)], landing, cancellation).ConfigureAwait(false);
                return "done";
            case "http-all":
                await Task.WhenAll(addresses.Where((_, i) => i != index).Select(a => PlainTransfers.ReadHttpAsync(http, a, Number(1), cancellation))).ConfigureAwait(false);
                return "done";
            case "tcp":
                await PlainTransfers.ReadTcpAsync(ports[Number(1)], Number(2), cancellation).ConfigureAwait(false);
                return "done";
            case "plain":
                await PlainTransfers.ReadPlainAsync(channels.To(Member(Number(1), default)), landing, cancellation).ConfigureAwait(false);
                return "done";
            case "piece":
                await PullAsync(Number(1), ElementBytes<float>.Over(mean), cancellation).ConfigureAwait(false);
                return "done";
            case "piece-drop":
                await PullAsync(Number(1), dropped, cancellation).ConfigureAwait(false);
                return "done";
            default:
                return "idle";
        }
    }

    private void Form(string[] where)
    {
        addresses = [.. where.Select(w => new Uri(w.Split('|')[0]))];
        ports = [.. where.Select(w => int.Parse(w.Split('|')[1], CultureInfo.InvariantCulture))];
        shards = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)where.Length);
        ShardRange Range(int member) => new(shards * member / where.Length, shards * (member + 1) / where.Length);
        var view = new GenerationView(Run, 1, [.. Enumerable.Range(0, where.Length).Select(i => Member(i, Range(i)))], 0, 0, [], "", "bench");
        store.BeginGeneration(Run, 1, 0);
        var accumulator = new SubtreeAccumulator(length);
        accumulator.Reset(Range(index));
        for (var shard = Range(index).First; shard < Range(index).End; shard++)
        {
            var leaf = accumulator.Begin(shard);
            for (var i = 0; i < length; i++)
                leaf[i] = Value(shard, i);
            accumulator.Complete([new StepCounts(1, 0, 0)]);
        }

        sums = accumulator.Result();
        mean = new float[length];
        exchange = new GradientExchange(view, Member(index, default).WorkerId, shards, length, bucketBytes, groupSize, store, Lane);
        moments = new RemoteMomentMerge(view, Member(index, default).WorkerId, shards, store, new Progress(), to => LaneOn(to, ChannelUse.Meetings));
        meetings = new BatchNormMeetings(moments, shards, Range(index));
        single = [.. Enumerable.Range(0, where.Length).Select(i => Lane(Member(i, default)))];
    }

    private PullLane Lane(MemberInfo to) => LaneOn(to, ChannelUse.Bulk);

    private PullLane LaneOn(MemberInfo to, ChannelUse use) => new(to, channels.To(to, use), $"w{index}", static () => { }, channels.Time);

    private MemberInfo Member(int member, ShardRange range) => new($"w{member}", addresses[member].ToString(), range, Votes: true);

    private async Task<string> ReduceAsync(long next, CancellationToken cancellation)
    {
        step = next;
        store.BeginStep(step);
        store.Publish(PieceSort.Mean, Whole, [new PieceNode(sums[0].Node, ElementBytes<float>.Of(sums[0].Sum), default)]);
        var counts = await exchange!.ReduceAsync(step, OwnSums.Of(sums), mean, cancellation).ConfigureAwait(false);
        return counts.Samples.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>Takes another member's whole vector on one stream, as it is served to everybody; a smaller place is written over and over.</summary>
    private async Task PullAsync(int from, Memory<byte> into, CancellationToken cancellation) =>
        await single[from].PullAsync(
            [new PieceId(Run, 1, step, PieceSort.Mean, Whole)],
            PullLane.Always,
            chunk =>
            {
                if (!chunk.InPlace)
                    throw new InvalidOperationException($"{chunk.Payload.Length} bytes did not arrive in their place");
            },
            (_, _, offset, length) => into.Slice(offset % into.Length, Math.Min(length, into.Length - (offset % into.Length))),
            cancellation).ConfigureAwait(false);

    /// <summary>The first element of the mean that is not what it must be, to the bit; null: there is none.</summary>
    private int? Check()
    {
        for (var i = 0; i < length; i++)
        {
            var sum = 0f;
            for (var shard = 0; shard < shards; shard++)
                sum += Value(shard, i);
            if (mean[i] != sum / shards)
                return i;
        }

        return null;
    }
}
