using System.Collections.Concurrent;
using AdderNet.Core.Sharding;
using AdderNet.Worker.Membership;

namespace AdderNet.Worker.Exchange;

/// <summary>
/// The exchange of one generation: reduce-scatter (the holder of a bucket pulls the subtree sums of its group's members, the
/// owner also those that the other groups' holders have added up, and combines them through the shard tree) and all-gather
/// (the other holders pull the finished mean from the owner, everybody else from the holder of the group). With one group all
/// holders are owners. Buckets go one after another, from the last layers' to the first ones', each as soon as this member's own
/// sums of it are final. Buffers are kept from step to step. One step at a time.
/// </summary>
internal sealed class GradientExchange : IAsyncDisposable
{
    private readonly GenerationView view;
    private readonly MemberInfo me;
    private readonly PieceStore store;
    private readonly IReadOnlyList<Bucket> buckets;
    private readonly Bucket[] latestFirst;
    private readonly Dictionary<int, BucketReduction> held;
    private readonly List<SumSource> sources = [];
    private readonly List<(PullLane Lane, int[] Buckets)> means = [];

    /// <summary>A member that sums are pulled from.</summary>
    private readonly record struct SumSource(PullLane Lane, PieceSort Sort, int[] Buckets, SliceBuffer Buffer);

    /// <param name="view">The generation.</param>
    /// <param name="workerId">This member.</param>
    /// <param name="shards">S.</param>
    /// <param name="length">Elements of the reduction vector.</param>
    /// <param name="bucketBytes">Target size of a bucket.</param>
    /// <param name="groupSize">Members of a group at most; 0: all are one group.</param>
    /// <param name="store">Where this member's pieces are served from.</param>
    /// <param name="lane">Makes a lane to a member.</param>
    public GradientExchange(
        GenerationView view, string workerId, int shards, int length, long bucketBytes, int groupSize, PieceStore store, Func<MemberInfo, PullLane> lane)
    {
        this.view = view;
        this.store = store;
        me = view.Find(workerId) ?? throw new ArgumentException($"Worker {workerId} is no member of generation {view.Generation}.", nameof(workerId));
        buckets = BucketPlan.Cut(length, bucketBytes, view.Members);
        latestFirst = [.. buckets.Reverse()];
        var groups = new ExchangeGroups(view.Members, groupSize);
        var mine = groups.GroupOf(me);
        var combiners = new ConcurrentBag<TreeCombiner>();
        held = buckets.Where(b => groups.Holder(b, mine) == me)
            .ToDictionary(b => b.Index, b => new BucketReduction(b, shards, b.Owner == me ? new ShardRange(0, shards) : groups.Range(mine), combiners));

        foreach (var member in groups.Members(mine).Where(m => m != me && held.Count > 0))
            sources.Add(new SumSource(lane(member), PieceSort.Subtrees, [.. held.Keys.OrderDescending()], new SliceBuffer()));
        var owned = latestFirst.Where(b => b.Owner == me);
        foreach (var there in Enumerable.Range(0, groups.Count).Where(g => g != mine))
        {
            foreach (var deputy in owned.GroupBy(b => groups.Holder(b, there)))
                sources.Add(new SumSource(lane(deputy.Key), PieceSort.GroupSums, [.. deputy.Select(b => b.Index)], new SliceBuffer()));
        }

        foreach (var from in latestFirst.Where(b => b.Owner != me).GroupBy(b => held.ContainsKey(b.Index) ? b.Owner : groups.Holder(b, mine)))
            means.Add((lane(from.Key), [.. from.Select(b => b.Index)]));
    }

    /// <summary>Reduces one step over all members.</summary>
    /// <param name="step">The step; the store has begun it.</param>
    /// <param name="sums">This member's subtree sums, which may still be coming into being; they must stay untouched until the next step begins.</param>
    /// <param name="mean">Receives the whole mean; its buckets stay served until the step after the next begins.</param>
    /// <param name="cancellation">Abandons the step.</param>
    /// <returns>Counts over all shards.</returns>
    /// <exception cref="PeerException">A neighbour failed.</exception>
    public async Task<StepCounts> ReduceAsync(long step, OwnSums sums, float[] mean, CancellationToken cancellation)
    {
        var counts = new StepCounts();
        var (within, all) = (sources.Count(s => s.Sort == PieceSort.Subtrees), sources.Count);
        var (alone, aloneInGroup) = (all == 0, within == 0);
        var landing = ElementBytes<float>.Over(mean);
        foreach (var reduction in held.Values)
            reduction.Begin(sums, mean);
        await PullGroup.RunAsync(
            [
                OfferAsync,
                .. sources.Select(s => (Func<CancellationToken, Task>)(token => PullSumsAsync(s, token))),
                .. means.Select(m => (Func<CancellationToken, Task>)(token => m.Lane.PullAsync(
                    m.Buckets.Select(index => Id(step, PieceSort.Mean, index)).ToList(), PullLane.Always, TakeMean, PlaceMean, token))),
            ],
            cancellation);
        return counts;

        async Task OfferAsync(CancellationToken token)
        {
            if (!me.Computes)
                return;
            foreach (var bucket in latestFirst)
            {
                await sums.WaitAsync(bucket.Offset, token);
                if (!held.TryGetValue(bucket.Index, out var reduction))
                {
                    store.Publish(PieceSort.Subtrees, bucket.Index, [.. sums.Sums.Select(s => Node(s.Node, s.Sum.Slice(bucket.Offset, bucket.Length), s.Counts))]);
                }
                else if (alone || (aloneInGroup && !reduction.IsWhole))
                {
                    reduction.FinishAlone();
                    Publish(reduction);
                }
            }
        }

        async Task PullSumsAsync(SumSource source, CancellationToken token)
        {
            await source.Lane.PullAsync(
                source.Buckets.Select(index => Id(step, source.Sort, index)).ToList(),
                (id, life) => sums.WaitAsync(buckets[id.Index].Offset, life),
                chunk => TakeSum(source.Buffer, chunk),
                (id, _, offset, length) => source.Buffer.Place(offset, length, held[id.Index]),
                token);
            if (source.Sort == PieceSort.Subtrees && Interlocked.Decrement(ref within) == 0)
                RequireComplete(r => !r.IsWhole);
            if (Interlocked.Decrement(ref all) == 0)
                RequireComplete(r => r.IsWhole);
        }

        void RequireComplete(Func<BucketReduction, bool> which)
        {
            if (held.Values.FirstOrDefault(r => which(r) && !r.IsComplete) is { } unfinished)
                throw new PeerException(string.Empty, $"the sums of bucket {unfinished.Bucket.Index} in step {step} do not cover all shards");
        }

        void TakeSum(SliceBuffer buffer, PieceChunk chunk)
        {
            var reduction = held[chunk.Id.Index];
            Require(chunk, reduction.Bucket.Length);
            if (buffer.Take(chunk, reduction))
                Publish(reduction);
        }

        void TakeMean(PieceChunk chunk)
        {
            var bucket = buckets[chunk.Id.Index];
            Require(chunk, bucket.Length);
            if (!chunk.InPlace)
                chunk.Payload.CopyTo(landing.Span.Slice((bucket.Offset * sizeof(float)) + chunk.Offset, chunk.Payload.Length));
            if (bucket.CarriesCounts)
                counts = chunk.Counts;
            if (chunk.EndsNode && held.ContainsKey(bucket.Index))
                store.Publish(PieceSort.Mean, bucket.Index, [Node(chunk.Node, mean.AsMemory(bucket.Offset, bucket.Length), chunk.Counts)]);
        }

        Memory<byte> PlaceMean(PieceId id, int nodeBytes, int offset, int length)
        {
            var bucket = buckets[id.Index];
            return nodeBytes == bucket.Length * sizeof(float) ? landing.Slice((bucket.Offset * sizeof(float)) + offset, length) : default;
        }

        void Publish(BucketReduction reduction)
        {
            if (reduction.IsWhole && reduction.Bucket.CarriesCounts)
                counts = reduction.Counts;
            store.Publish(reduction.IsWhole ? PieceSort.Mean : PieceSort.GroupSums, reduction.Bucket.Index, reduction.Nodes);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var lane in sources.Select(s => s.Lane).Concat(means.Select(m => m.Lane)))
            await lane.DisposeAsync();
    }

    private static PieceNode Node(TreeNodeId node, ReadOnlyMemory<float> values, StepCounts counts) =>
        new(node, ElementBytes<float>.Of(values), counts);

    private static void Require(PieceChunk chunk, int elements)
    {
        if (chunk.NodeBytes != elements * sizeof(float))
            throw new FormatException($"{chunk.Id} has {chunk.NodeBytes} bytes where {elements * sizeof(float)} are expected");
    }

    private PieceId Id(long step, PieceSort sort, int index) => new(view.RunId, view.Generation, step, sort, index);
}
