using AdderNet.Core.Engine;

namespace AdderNet.Core.Sharding;

/// <summary>
/// Adds a member's shards by binary carry, as node(l,i) = node(l-1,2i) + node(l-1,2i+1). A range of n shards that is one
/// aligned subtree keeps at most log2(n) + 2 buffers alive; a range cut elsewhere also keeps its other finished subtrees.
/// What is added to what follows from the shards alone, so a part of a shard can be added as soon as it is written.
/// Buffers are reused from step to step. Not thread-safe.
/// </summary>
internal sealed class SubtreeAccumulator
{
    private readonly int length;
    private readonly List<Node> nodes = [];
    private readonly List<Addition> additions = [];
    private readonly List<SubtreeSum> ahead = [];
    private readonly List<SubtreeSum> result = [];
    private readonly Stack<float[]> free = new();
    private ShardRange range;
    private int first;
    private int next;
    private int folded;

    private readonly record struct Node(TreeNodeId Id, float[] Sum, StepCounts Counts);

    /// <summary>left = left + right, for shards that are begun.</summary>
    private readonly record struct Addition(float[] Left, float[] Right);

    /// <summary>Creates an accumulator of vectors of <paramref name="length"/> elements.</summary>
    public SubtreeAccumulator(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        this.length = length;
    }

    /// <summary>Buffers ever made: the peak of those alive at once.</summary>
    public int BuffersMade { get; private set; }

    /// <summary>Whether the range ends with the shards that are begun: once these are complete, so are all sums.</summary>
    public bool EndsRange => next == range.End;

    /// <summary>Starts over for a range; the buffers of the last result, or of shards that were begun and abandoned, are taken back.</summary>
    public void Reset(ShardRange range)
    {
        foreach (var node in nodes)
            free.Push(node.Sum);
        FreeAdded();
        nodes.Clear();
        this.range = range;
        first = next = range.First;
        folded = length;
    }

    /// <summary>Begins the next shard. Shards follow in ascending order; several may be begun before they are completed together.</summary>
    /// <returns>The buffer for its vector. Its contents are left over from earlier use: overwrite or clear it.</returns>
    public float[] Begin(int shard)
    {
        if (shard != next || shard >= range.End)
            throw new ArgumentException($"Shard {shard} is out of turn: the range is {range} and shard {next} comes next.", nameof(shard));
        if (folded != length)
            throw new InvalidOperationException($"Shard {shard} cannot begin while the shards before it are being added.");
        next++;
        var leaf = Rent();
        var right = new Node(new TreeNodeId(0, shard), leaf, default);
        while (nodes.Count > 0 && ShardTree.AreSiblings(nodes[^1].Id, right.Id))
        {
            var left = nodes[^1];
            nodes.RemoveAt(nodes.Count - 1);
            additions.Add(new Addition(left.Sum, right.Sum));
            right = new Node(ShardTree.Parent(left.Id), left.Sum, left.Counts + right.Counts);
        }

        nodes.Add(right);
        return leaf;
    }

    /// <summary>Adds the elements from <paramref name="from"/> on, as far as they are not added yet: they are written in all shards that are begun.</summary>
    public void AddFrom(int from)
    {
        foreach (var (left, right) in additions)
            VectorSum.AddRight(left.AsSpan(from, folded - from), right.AsSpan(from, folded - from));
        folded = from;
    }

    /// <summary>Completes the shards that are begun.</summary>
    /// <param name="counts">Of each of them, in order.</param>
    public void Complete(ReadOnlySpan<StepCounts> counts)
    {
        if (counts.Length != next - first)
            throw new ArgumentException($"{counts.Length} counts for {next - first} shards that are begun.", nameof(counts));
        AddFrom(0);
        for (var i = 0; i < counts.Length; i++)
            Count(first + i, counts[i]);
        FreeAdded();
        first = next;
        folded = length;
    }

    /// <summary>The sums that <see cref="Result"/> will give, over the same memory, without their counts; valid until <see cref="Reset"/>.</summary>
    public IReadOnlyList<SubtreeSum> Ahead()
    {
        ahead.Clear();
        foreach (var node in nodes)
            ahead.Add(new SubtreeSum(node.Id, node.Sum, default));
        return ahead;
    }

    /// <summary>The sums of the largest aligned subtrees of the whole range, left to right; valid until <see cref="Reset"/>.</summary>
    /// <exception cref="InvalidOperationException">Shards are still missing.</exception>
    public IReadOnlyList<SubtreeSum> Result()
    {
        if (first != range.End)
            throw new InvalidOperationException($"Shard {first} of {range} is not complete.");
        result.Clear();
        foreach (var node in nodes)
            result.Add(new SubtreeSum(node.Id, node.Sum, node.Counts));
        return result;
    }

    private void Count(int shard, StepCounts counts)
    {
        var index = nodes.Count - 1;
        while (shard < nodes[index].Id.Shards.First)
            index--;
        nodes[index] = nodes[index] with { Counts = nodes[index].Counts + counts };
    }

    private void FreeAdded()
    {
        foreach (var addition in additions)
            free.Push(addition.Right);
        additions.Clear();
    }

    private float[] Rent()
    {
        if (free.TryPop(out var buffer))
            return buffer;
        BuffersMade++;
        return new float[length];
    }
}
