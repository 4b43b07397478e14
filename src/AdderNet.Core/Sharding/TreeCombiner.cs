namespace AdderNet.Core.Sharding;

/// <summary>
/// Combines the subtree sums of all members into the mean over S shards. Nodes may arrive in any order; they are only ever
/// added as node(l,i) = node(l-1,2i) + node(l-1,2i+1), so the order of arrival changes no bit. Holds at most one buffer for
/// each node that waits for its sibling, and reuses them. Not thread-safe.
/// </summary>
public sealed class TreeCombiner
{
    private readonly int shards;
    private readonly int length;
    private readonly TreeNodeId root;
    private readonly bool[] covered;
    private readonly Dictionary<TreeNodeId, (float[] Sum, StepCounts Counts)> waiting = [];
    private readonly Stack<float[]> free = new();

    /// <summary>Creates a combiner of vectors (or one bucket of them) of <paramref name="length"/> elements over <paramref name="shards"/> shards.</summary>
    public TreeCombiner(int shards, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        this.shards = shards;
        this.length = length;
        root = new TreeNodeId(ShardTree.RootLevel(shards), 0);
        covered = new bool[shards];
    }

    /// <summary>Whether nodes that cover all shards have arrived.</summary>
    public bool IsComplete => waiting.ContainsKey(root);

    /// <summary>Buffers ever made: the peak of nodes that waited at once.</summary>
    internal int BuffersMade { get; private set; }

    /// <summary>Shards that have arrived.</summary>
    public int ArrivedShards { get; private set; }

    /// <summary>Starts over, keeping the buffers.</summary>
    public void Reset()
    {
        ArrivedShards = 0;
        foreach (var (sum, _) in waiting.Values)
            free.Push(sum);
        waiting.Clear();
        Array.Clear(covered);
    }

    /// <summary>Adds a node's sum; the values are copied.</summary>
    /// <exception cref="ArgumentException">The node lies outside the tree, overlaps one that came before, or has another length.</exception>
    public void Add(TreeNodeId node, ReadOnlySpan<float> values, StepCounts counts)
    {
        if (values.Length != length)
            throw new ArgumentException($"Node {node} has {values.Length} elements, not {length}.", nameof(values));
        Claim(node, root, covered);
        ArrivedShards += node.Shards.Count;

        // The left child stays the left operand whichever of the two came first.
        var buffer = waiting.Remove(ShardTree.Sibling(node), out var other) ? other.Sum : Rent();
        if (other.Sum is null)
        {
            values.CopyTo(buffer);
        }
        else
        {
            if ((node.Index & 1) == 0)
                VectorSum.AddLeft(values, buffer);
            else
                VectorSum.AddRight(buffer, values);
            counts += other.Counts;
            node = ShardTree.Parent(node);
        }

        while (node != root && waiting.Remove(ShardTree.Sibling(node), out other))
        {
            if ((node.Index & 1) == 0)
                VectorSum.AddRight(buffer, other.Sum);
            else
                VectorSum.AddLeft(other.Sum, buffer);
            free.Push(other.Sum);
            counts += other.Counts;
            node = ShardTree.Parent(node);
        }

        waiting.Add(node, (buffer, counts));
    }

    /// <summary>Writes root / S, by true division, and returns the counts, which are not divided.</summary>
    /// <exception cref="InvalidOperationException">Shards are missing.</exception>
    public StepCounts Finish(Span<float> mean)
    {
        if (!waiting.TryGetValue(root, out var sum))
            throw new InvalidOperationException($"Shard {Array.IndexOf(covered, false)} of {shards} has not arrived.");
        if (mean.Length != length)
            throw new ArgumentException($"The mean has {mean.Length} elements, not {length}.", nameof(mean));
        VectorSum.Divide(sum.Sum, shards, mean);
        return sum.Counts;
    }

    /// <summary>Writes the sum of a subtree that has arrived but whose sibling has not, undivided, and returns its counts.</summary>
    /// <exception cref="InvalidOperationException">The subtree is incomplete, or part of a larger one already.</exception>
    public StepCounts CopyTo(TreeNodeId node, Span<float> sum)
    {
        if (!waiting.TryGetValue(node, out var held))
            throw new InvalidOperationException($"Node {node} does not wait for its sibling.");
        held.Sum.CopyTo(sum);
        return held.Counts;
    }

    /// <summary>Marks the shards of a node as arrived.</summary>
    internal static void Claim(TreeNodeId node, TreeNodeId root, bool[] covered)
    {
        if (node.Level < 0 || node.Level > root.Level || node.Index < 0 || node.Index >= 1 << (root.Level - node.Level))
            throw new ArgumentException($"Node {node} lies outside the tree of {covered.Length} shards.", nameof(node));
        var (first, end) = node.Shards;
        for (var shard = first; shard < end; shard++)
        {
            if (covered[shard])
                throw new ArgumentException($"Node {node} overlaps one that came before: shard {shard} has already arrived.", nameof(node));
        }

        covered.AsSpan(first, end - first).Fill(true);
    }

    private float[] Rent()
    {
        if (free.TryPop(out var buffer))
            return buffer;
        BuffersMade++;
        return new float[length];
    }
}
