using System.Collections.Concurrent;
using AdderNet.Core.Sharding;

namespace AdderNet.Worker.Exchange;

/// <summary>
/// One bucket that this member holds. Nodes arrive from several lanes at once and are combined through the shard tree slice by
/// slice, a slice being so small that it is still in the second-level cache when it is added, and written out as soon as all its
/// shards are there: for the bucket's owner, who takes in all shards, as the mean; for a group's deputy as the sums of the
/// largest subtrees within the group's shards.
/// </summary>
/// <param name="bucket">The bucket.</param>
/// <param name="shards">S.</param>
/// <param name="range">The shards to take in.</param>
/// <param name="free">Combiners of whole slices, shared by the buckets of an exchange.</param>
internal sealed class BucketReduction(Bucket bucket, int shards, ShardRange range, ConcurrentBag<TreeCombiner> free)
{
    /// <summary>Elements of a slice; the last one of a bucket may have fewer.</summary>
    public const int SliceLength = (128 << 10) / sizeof(float);

    private readonly Slice[] slices = [.. Enumerable.Range(0, (bucket.Length + SliceLength - 1) / SliceLength).Select(_ => new Slice())];
    private readonly Part[] parts = [.. ShardTree.Cover(range).Select(node => new Part { Node = node })];
    private OwnSums own = OwnSums.Of([]);
    private int left;

    /// <summary>What comes of the reduction for one subtree; several only where the range is no single one.</summary>
    private sealed class Part
    {
        public required TreeNodeId Node { get; init; }

        public Memory<float> Values { get; set; }

        public StepCounts Counts { get; set; }
    }

    private sealed class Slice
    {
        public Lock Gate { get; } = new();

        public TreeCombiner? Combiner { get; set; }

        /// <summary>This member's own sums are in it.</summary>
        public bool IsOpen { get; set; }

        public bool IsDone { get; set; }
    }

    public Bucket Bucket => bucket;

    /// <summary>It takes in all shards, so that the mean comes of it.</summary>
    public bool IsWhole => range.Count == shards;

    /// <summary>Counts over the range, once the bucket is complete.</summary>
    public StepCounts Counts => parts.Aggregate(default(StepCounts), (sum, part) => sum + part.Counts);

    /// <summary>The mean, or the subtrees' sums, as a piece; once the bucket is complete, and until the next step.</summary>
    public IReadOnlyList<PieceNode> Nodes => [.. parts.Select(p => new PieceNode(p.Node, ElementBytes<float>.Of(p.Values), p.Counts))];

    public bool IsComplete => Volatile.Read(ref left) == 0;

    /// <summary>Starts a step.</summary>
    /// <param name="sums">This member's own sums, over the whole reduction vector; borrowed until the bucket is complete. The bucket's part must be final before anything is added to it.</param>
    /// <param name="mean">The mean over the whole reduction vector; this bucket's part is written by its owner.</param>
    public void Begin(OwnSums sums, float[] mean)
    {
        own = sums;
        foreach (var part in parts)
        {
            if (IsWhole)
                part.Values = mean.AsMemory(bucket.Offset, bucket.Length);
            else if (part.Values.IsEmpty)
                part.Values = GC.AllocateUninitializedArray<float>(bucket.Length);
        }

        foreach (var slice in slices)
        {
            slice.IsOpen = slice.IsDone = false;
            slice.Combiner?.Reset();
        }

        Volatile.Write(ref left, slices.Length);
    }

    /// <summary>Completes the bucket from this member's own sums, which cover the range.</summary>
    public void FinishAlone()
    {
        for (var index = 0; index < slices.Length; index++)
        {
            var slice = slices[index];
            lock (slice.Gate)
                Finish(slice, index, Open(slice, index));
        }
    }

    /// <summary>Adds one slice of another member's node.</summary>
    /// <returns>True when the bucket is complete with it.</returns>
    /// <exception cref="FormatException">The node cannot be.</exception>
    public bool Add(int index, TreeNodeId node, ReadOnlySpan<float> values, StepCounts nodeCounts)
    {
        var slice = slices[index];
        lock (slice.Gate)
        {
            if (slice.IsDone)
                throw new FormatException($"node {node} overlaps one that came before");
            if (node.Shards.First < range.First || node.Shards.End > range.End)
                throw new FormatException($"node {node} lies outside the shards {range}");
            var combiner = Open(slice, index);
            try
            {
                combiner.Add(node, values, nodeCounts);
            }
            catch (ArgumentException e)
            {
                throw new FormatException(e.Message, e);
            }

            return combiner.ArrivedShards == range.Count && Finish(slice, index, combiner);
        }
    }

    /// <summary>Elements of a slice.</summary>
    public int LengthOf(int index) => Math.Min(SliceLength, bucket.Length - (index * SliceLength));

    private TreeCombiner Open(Slice slice, int index)
    {
        var length = LengthOf(index);
        slice.Combiner ??= length == SliceLength && free.TryTake(out var ready) ? ready : new TreeCombiner(shards, length);
        if (slice.IsOpen)
            return slice.Combiner;
        foreach (var sum in own.Sums)
            slice.Combiner.Add(sum.Node, sum.Sum.Span.Slice(bucket.Offset + (index * SliceLength), length), sum.Counts);
        slice.IsOpen = true;
        return slice.Combiner;
    }

    private bool Finish(Slice slice, int index, TreeCombiner combiner)
    {
        foreach (var part in parts)
        {
            var values = part.Values.Span.Slice(index * SliceLength, LengthOf(index));
            var total = IsWhole ? combiner.Finish(values) : combiner.CopyTo(part.Node, values);
            if (index == 0)
                part.Counts = total;
        }

        combiner.Reset();
        if (LengthOf(index) == SliceLength)
        {
            slice.Combiner = null;
            free.Add(combiner);
        }

        slice.IsDone = true;
        return Interlocked.Decrement(ref left) == 0;
    }
}
