using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using AdderNet.Core.Engine;
using AdderNet.Core.Sharding;
using AdderNet.Worker.Membership;

namespace AdderNet.Worker.Exchange;

/// <summary>
/// The exchange of one generation: reduce-scatter (the owner of a bucket pulls every member's subtree sums and combines them
/// through the shard tree) and all-gather (everybody pulls finished means from their owners). Buffers are kept from step to
/// step. One step at a time.
/// </summary>
internal sealed class GradientExchange : IAsyncDisposable
{
    private readonly GenerationView view;
    private readonly MemberInfo me;
    private readonly PieceStore store;
    private readonly IReadOnlyList<Bucket> buckets;
    private readonly Dictionary<int, BucketReduction> mine;
    private readonly List<(PullLane Lane, SliceBuffer Buffer)> sources = [];
    private readonly List<(PullLane Lane, int[] Buckets)> owners = [];

    /// <param name="view">The generation.</param>
    /// <param name="workerId">This member.</param>
    /// <param name="shards">S.</param>
    /// <param name="length">Elements of the reduction vector.</param>
    /// <param name="bucketBytes">Target size of a bucket.</param>
    /// <param name="store">Where this member's pieces are served from.</param>
    /// <param name="lane">Makes a lane to a member.</param>
    public GradientExchange(
        GenerationView view, string workerId, int shards, int length, long bucketBytes, PieceStore store, Func<MemberInfo, PullLane> lane)
    {
        this.view = view;
        this.store = store;
        me = view.Find(workerId) ?? throw new ArgumentException($"Worker {workerId} is no member of generation {view.Generation}.", nameof(workerId));
        buckets = BucketPlan.Cut(length, bucketBytes, view.Members);
        var combiners = new ConcurrentBag<TreeCombiner>();
        mine = buckets.Where(b => b.Owner == me).ToDictionary(b => b.Index, b => new BucketReduction(b, shards, combiners));
        foreach (var member in view.Members.Where(m => m.Computes && m != me))
        {
            if (mine.Count > 0)
                sources.Add((lane(member), new SliceBuffer()));
            var owned = buckets.Where(b => b.Owner == member).Select(b => b.Index).ToArray();
            if (owned.Length > 0)
                owners.Add((lane(member), owned));
        }
    }

    /// <summary>Reduces one step over all members.</summary>
    /// <param name="step">The step; the store has begun it.</param>
    /// <param name="sums">This member's subtree sums; they must stay untouched until the next step begins.</param>
    /// <param name="mean">Receives the whole mean; its buckets stay served until the step after the next begins.</param>
    /// <param name="cancellation">Abandons the step.</param>
    /// <returns>Counts over all shards.</returns>
    /// <exception cref="PeerException">A neighbour failed.</exception>
    public async Task<StepCounts> ReduceAsync(long step, IReadOnlyList<SubtreeSum> sums, float[] mean, CancellationToken cancellation)
    {
        var counts = new StepCounts();
        var pulling = sources.Count;
        foreach (var bucket in buckets.Where(b => me.Computes && b.Owner != me))
            store.Publish(PieceSort.Subtrees, bucket.Index, sums.Select(s => Node(s.Node, s.Sum.Slice(bucket.Offset, bucket.Length), s.Counts)).ToList());
        foreach (var reduction in mine.Values)
        {
            reduction.Begin(sums, mean);
            if (sources.Count > 0)
                continue;
            reduction.FinishAlone();
            Publish(reduction);
        }

        await PullGroup.RunAsync(
            [
                .. sources.Select(s => (Func<CancellationToken, Task>)(token => PullSumsAsync(s.Lane, s.Buffer, token))),
                .. owners.Select(o => (Func<CancellationToken, Task>)(token => o.Lane.PullAsync(
                    o.Buckets.Select(index => Id(step, PieceSort.Mean, index)).ToList(), TakeMean, token))),
            ],
            cancellation);
        return counts;

        async Task PullSumsAsync(PullLane lane, SliceBuffer buffer, CancellationToken token)
        {
            await lane.PullAsync(mine.Keys.Select(index => Id(step, PieceSort.Subtrees, index)).ToList(), chunk => TakeSubtree(buffer, chunk), token);
            if (Interlocked.Decrement(ref pulling) == 0 && mine.Values.FirstOrDefault(r => !r.IsComplete) is { } unfinished)
                throw new PeerException(string.Empty, $"the sums of bucket {unfinished.Bucket.Index} in step {step} do not cover all shards");
        }

        void TakeSubtree(SliceBuffer buffer, PieceChunk chunk)
        {
            var reduction = mine[chunk.Id.Index];
            Require(chunk, reduction.Bucket.Length);
            if (buffer.Take(chunk, reduction))
                Publish(reduction);
        }

        void TakeMean(PieceChunk chunk)
        {
            var bucket = buckets[chunk.Id.Index];
            Require(chunk, bucket.Length);
            chunk.Payload.CopyTo(MemoryMarshal.AsBytes(mean.AsSpan(bucket.Offset, bucket.Length))[chunk.Offset..]);
            if (bucket.Index == 0)
                counts = chunk.Counts;
        }

        void Publish(BucketReduction reduction)
        {
            var bucket = reduction.Bucket;
            if (bucket.Index == 0)
                counts = reduction.Counts;
            store.Publish(PieceSort.Mean, bucket.Index, [Node(reduction.Root, mean.AsMemory(bucket.Offset, bucket.Length), reduction.Counts)]);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var lane in sources.Select(s => s.Lane).Concat(owners.Select(o => o.Lane)))
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
