using System.Collections.Concurrent;
using AdderNet.Core.Engine;
using AdderNet.Core.Sharding;

namespace AdderNet.Worker.Exchange;

/// <summary>
/// One owned bucket. Nodes arrive from several lanes at once and are combined through the shard tree slice by slice, a slice
/// being what one message carries: it is still in the cache when it is added, and divided as soon as all shards are in it.
/// </summary>
/// <param name="bucket">The bucket.</param>
/// <param name="shards">S.</param>
/// <param name="free">Combiners of whole slices, shared by the buckets of an exchange.</param>
internal sealed class BucketReduction(Bucket bucket, int shards, ConcurrentBag<TreeCombiner> free)
{
    /// <summary>Elements of a slice; the last one of a bucket may have fewer.</summary>
    public const int SliceLength = PieceWire.ChunkBytes / sizeof(float);

    private readonly Slice[] slices = [.. Enumerable.Range(0, (bucket.Length + SliceLength - 1) / SliceLength).Select(_ => new Slice())];
    private IReadOnlyList<SubtreeSum> own = [];
    private Memory<float> mean;
    private int left;
    private StepCounts counts;

    private sealed class Slice
    {
        public Lock Gate { get; } = new();

        public TreeCombiner? Combiner { get; set; }

        /// <summary>This member's own sums are in it.</summary>
        public bool IsOpen { get; set; }

        public bool IsDone { get; set; }
    }

    public Bucket Bucket => bucket;

    public TreeNodeId Root { get; } = new(ShardTree.RootLevel(shards), 0);

    /// <summary>Counts over all shards, once the bucket is complete.</summary>
    public StepCounts Counts => counts;

    public bool IsComplete => Volatile.Read(ref left) == 0;

    /// <summary>Starts a step.</summary>
    /// <param name="sums">This member's own sums, over the whole reduction vector; borrowed until the bucket is complete.</param>
    /// <param name="whole">The mean over the whole reduction vector; this bucket's part is written.</param>
    public void Begin(IReadOnlyList<SubtreeSum> sums, float[] whole)
    {
        own = sums;
        mean = whole.AsMemory(bucket.Offset, bucket.Length);
        foreach (var slice in slices)
        {
            slice.IsOpen = slice.IsDone = false;
            slice.Combiner?.Reset();
        }

        Volatile.Write(ref left, slices.Length);
    }

    /// <summary>Completes the bucket from this member's own sums, which cover all shards.</summary>
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
            var combiner = Open(slice, index);
            try
            {
                combiner.Add(node, values, nodeCounts);
            }
            catch (ArgumentException e)
            {
                throw new FormatException(e.Message, e);
            }

            return combiner.IsComplete && Finish(slice, index, combiner);
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
        foreach (var sum in own)
            slice.Combiner.Add(sum.Node, sum.Sum.Span.Slice(bucket.Offset + (index * SliceLength), length), sum.Counts);
        slice.IsOpen = true;
        return slice.Combiner;
    }

    private bool Finish(Slice slice, int index, TreeCombiner combiner)
    {
        var total = combiner.Finish(mean.Span.Slice(index * SliceLength, LengthOf(index)));
        if (index == 0)
            counts = total;
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
