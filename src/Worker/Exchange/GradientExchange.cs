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
    private readonly List<(PullLane Lane, float[] Scratch)> sources = [];
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
        mine = buckets.Where(b => b.Owner == me).ToDictionary(b => b.Index, b => new BucketReduction(b, shards));
        var largest = buckets.Max(b => b.Length);
        foreach (var member in view.Members.Where(m => m.Computes && m != me))
        {
            if (mine.Count > 0)
                sources.Add((lane(member), new float[largest]));
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
        foreach (var bucket in buckets.Where(b => me.Computes && b.Owner != me))
            store.Publish(PieceSort.Subtrees, bucket.Index, sums.Select(s => Node(s.Node, s.Sum.Slice(bucket.Offset, bucket.Length), s.Counts)).ToList());
        foreach (var (index, reduction) in mine)
        {
            reduction.Reset();
            foreach (var sum in sums)
                Combine(index, sum.Node, sum.Sum.Span.Slice(reduction.Bucket.Offset, reduction.Bucket.Length), sum.Counts);
        }

        await PullGroup.RunAsync(
            [
                .. sources.Select(s => (Func<CancellationToken, Task>)(token => s.Lane.PullAsync(
                    mine.Keys.Select(index => Id(step, PieceSort.Subtrees, index)).ToList(), chunk => TakeSubtree(s.Scratch, chunk), token))),
                .. owners.Select(o => (Func<CancellationToken, Task>)(token => o.Lane.PullAsync(
                    o.Buckets.Select(index => Id(step, PieceSort.Mean, index)).ToList(), TakeMean, token))),
            ],
            cancellation);
        return counts;

        void TakeSubtree(float[] scratch, PieceChunk chunk)
        {
            var node = scratch.AsSpan(0, mine[chunk.Id.Index].Bucket.Length);
            Copy(chunk, node);
            if (chunk.EndsNode)
                Combine(chunk.Id.Index, chunk.Node, node, chunk.Counts);
        }

        void TakeMean(PieceChunk chunk)
        {
            var bucket = buckets[chunk.Id.Index];
            Copy(chunk, mean.AsSpan(bucket.Offset, bucket.Length));
            if (bucket.Index == 0)
                counts = chunk.Counts;
        }

        void Combine(int index, TreeNodeId node, ReadOnlySpan<float> values, StepCounts nodeCounts)
        {
            var bucket = mine[index].Bucket;
            var slice = mean.AsMemory(bucket.Offset, bucket.Length);
            if (mine[index].Add(node, values, nodeCounts, slice.Span) is not { } total)
                return;
            if (index == 0)
                counts = total;
            store.Publish(PieceSort.Mean, index, [Node(mine[index].Root, slice, total)]);
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

    private static void Copy(PieceChunk chunk, Span<float> destination)
    {
        var bytes = MemoryMarshal.AsBytes(destination);
        if (chunk.NodeBytes != bytes.Length)
            throw new FormatException($"{chunk.Id} has {chunk.NodeBytes} bytes where {bytes.Length} are expected");
        chunk.Payload.CopyTo(bytes[chunk.Offset..]);
    }

    private PieceId Id(long step, PieceSort sort, int index) => new(view.RunId, view.Generation, step, sort, index);

    /// <summary>One owned bucket; nodes arrive from several lanes at once.</summary>
    private sealed class BucketReduction(Bucket bucket, int shards)
    {
        private readonly Lock gate = new();
        private readonly TreeCombiner combiner = new(shards, bucket.Length);

        public Bucket Bucket => bucket;

        public TreeNodeId Root { get; } = new(ShardTree.RootLevel(shards), 0);

        public void Reset() => combiner.Reset();

        /// <summary>Adds a node; with the last one writes the mean and returns the counts.</summary>
        public StepCounts? Add(TreeNodeId node, ReadOnlySpan<float> values, StepCounts counts, Span<float> mean)
        {
            lock (gate)
            {
                try
                {
                    combiner.Add(node, values, counts);
                }
                catch (ArgumentException e)
                {
                    throw new FormatException(e.Message, e);
                }

                return combiner.IsComplete ? combiner.Finish(mean) : null;
            }
        }
    }
}
