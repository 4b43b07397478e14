using System.Numerics;

namespace AdderNet.Core.Sharding;

/// <summary>Geometry of the shard tree over [0, S), S a power of two. The tree alone fixes the order in which shards are added.</summary>
public static class ShardTree
{
    /// <summary>The level of the root: log2 of the number of shards.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="shards"/> is not a power of two.</exception>
    public static int RootLevel(int shards)
    {
        if (shards < 1 || !BitOperations.IsPow2(shards))
            throw new ArgumentOutOfRangeException(nameof(shards), shards, "The number of shards must be a power of two, such as 8.");
        return BitOperations.Log2((uint)shards);
    }

    /// <summary>The largest aligned subtrees that together cover <paramref name="range"/> exactly, left to right; none for an empty range.</summary>
    public static IReadOnlyList<TreeNodeId> Cover(ShardRange range)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(range.First, nameof(range));
        ArgumentOutOfRangeException.ThrowIfNegative(range.Count, nameof(range));
        var nodes = new List<TreeNodeId>();
        for (var first = range.First; first < range.End;)
        {
            var aligned = first == 0 ? 30 : BitOperations.TrailingZeroCount(first);
            var fits = BitOperations.Log2((uint)(range.End - first));
            var level = Math.Min(aligned, fits);
            nodes.Add(new TreeNodeId(level, first >> level));
            first += 1 << level;
        }

        return nodes;
    }

    /// <summary>Whether the two nodes are the left and the right child of one parent.</summary>
    internal static bool AreSiblings(TreeNodeId left, TreeNodeId right) =>
        left.Level == right.Level && (left.Index & 1) == 0 && right.Index == left.Index + 1;

    /// <summary>The node one level up.</summary>
    internal static TreeNodeId Parent(TreeNodeId node) => new(node.Level + 1, node.Index >> 1);

    /// <summary>The other child of the node's parent.</summary>
    internal static TreeNodeId Sibling(TreeNodeId node) => new(node.Level, node.Index ^ 1);
}
