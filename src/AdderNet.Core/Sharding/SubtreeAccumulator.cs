using AdderNet.Core.Engine;

namespace AdderNet.Core.Sharding;

/// <summary>
/// Adds a member's shards by binary carry, as node(l,i) = node(l-1,2i) + node(l-1,2i+1). A range of n shards that is one
/// aligned subtree keeps at most log2(n) + 2 buffers alive; a range cut elsewhere also keeps its other finished subtrees.
/// Buffers are reused from step to step. Not thread-safe.
/// </summary>
internal sealed class SubtreeAccumulator
{
    private readonly int length;
    private readonly List<Node> nodes = [];
    private readonly List<SubtreeSum> result = [];
    private readonly Stack<float[]> free = new();
    private ShardRange range;
    private int next;

    private readonly record struct Node(TreeNodeId Id, float[] Sum, StepCounts Counts);

    /// <summary>Creates an accumulator of vectors of <paramref name="length"/> elements.</summary>
    public SubtreeAccumulator(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        this.length = length;
    }

    /// <summary>Buffers ever made: the peak of those alive at once.</summary>
    public int BuffersMade { get; private set; }

    /// <summary>Starts over for a range; the last result's buffers are taken back.</summary>
    public void Reset(ShardRange range)
    {
        foreach (var node in nodes)
            free.Push(node.Sum);
        nodes.Clear();
        this.range = range;
        next = range.First;
    }

    /// <summary>A buffer for the vector of one shard. Its contents are left over from earlier use: overwrite or clear it.</summary>
    public float[] RentLeaf()
    {
        if (free.TryPop(out var buffer))
            return buffer;
        BuffersMade++;
        return new float[length];
    }

    /// <summary>Gives back a rented buffer that was not completed (its step was abandoned).</summary>
    public void Return(float[] leaf)
    {
        if (leaf.Length != length)
            throw new ArgumentException($"The buffer has {leaf.Length} elements, not {length}.", nameof(leaf));
        free.Push(leaf);
    }

    /// <summary>Takes over a rented buffer as the finished vector of a shard. Shards complete in ascending order.</summary>
    public void Complete(int shard, float[] leaf, StepCounts counts)
    {
        if (shard != next || shard >= range.End)
            throw new ArgumentException($"Shard {shard} is out of turn: the range is {range} and shard {next} comes next.", nameof(shard));
        if (leaf.Length != length)
            throw new ArgumentException($"The buffer has {leaf.Length} elements, not {length}.", nameof(leaf));
        next++;
        var right = new Node(new TreeNodeId(0, shard), leaf, counts);
        while (nodes.Count > 0 && ShardTree.AreSiblings(nodes[^1].Id, right.Id))
        {
            var left = nodes[^1];
            nodes.RemoveAt(nodes.Count - 1);
            VectorSum.AddRight(left.Sum, right.Sum);
            free.Push(right.Sum);
            right = new Node(ShardTree.Parent(left.Id), left.Sum, left.Counts + right.Counts);
        }

        nodes.Add(right);
    }

    /// <summary>The sums of the largest aligned subtrees of the whole range, left to right; valid until <see cref="Reset"/>.</summary>
    /// <exception cref="InvalidOperationException">Shards are still missing.</exception>
    public IReadOnlyList<SubtreeSum> Result()
    {
        if (next != range.End)
            throw new InvalidOperationException($"Shard {next} of {range} is not complete.");
        result.Clear();
        foreach (var node in nodes)
            result.Add(new SubtreeSum(node.Id, node.Sum, node.Counts));
        return result;
    }
}
