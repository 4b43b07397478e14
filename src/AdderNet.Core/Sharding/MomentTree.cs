using AdderNet.Core.Engine;

namespace AdderNet.Core.Sharding;

/// <summary>
/// Merges batch-norm moments through the shard tree in double (<c>normalization: global</c>). Forward, (n, mean, M2) of two
/// children become n = na + nb, mean = ma + d*(nb/n), M2 = (M2a + M2b) + d*d*(na*nb/n) with d = mb - ma; backward, sums are added.
/// </summary>
public static class MomentTree
{
    /// <summary>Merges siblings as far as the given nodes allow; the largest subtrees that remain come left to right.</summary>
    /// <param name="nodes">Disjoint nodes in any order; their values are not changed.</param>
    /// <param name="pass">Which rule.</param>
    public static IReadOnlyList<MomentNode> Reduce(IEnumerable<MomentNode> nodes, MomentPass pass)
    {
        var copies = nodes.OrderBy(n => n.Node.Shards.First).Select(n => n with { Values = [.. n.Values] }).ToList();
        ReduceInPlace(copies, pass);
        return copies;
    }

    /// <summary>As the other, in the list itself and in the values of left children; allocates nothing.</summary>
    /// <param name="nodes">Disjoint nodes from left to right.</param>
    /// <param name="pass">Which rule.</param>
    internal static void ReduceInPlace(List<MomentNode> nodes, MomentPass pass)
    {
        var merged = 0;
        for (var i = 0; i < nodes.Count; i++)
        {
            var right = nodes[i];
            if (merged > 0 && nodes[merged - 1].Node.Shards.End > right.Node.Shards.First)
                throw new ArgumentException($"Node {right.Node} overlaps {nodes[merged - 1].Node}.", nameof(nodes));
            while (merged > 0 && ShardTree.AreSiblings(nodes[merged - 1].Node, right.Node))
            {
                var left = nodes[--merged];
                Join(left.Values, right.Values, pass);
                right = new MomentNode(ShardTree.Parent(left.Node), left.Values);
            }

            nodes[merged++] = right;
        }

        nodes.RemoveRange(merged, nodes.Count - merged);
    }

    /// <summary>Merges nodes that cover [0, S) and returns the root's values, not divided by S.</summary>
    /// <param name="nodes">Nodes in any order.</param>
    /// <param name="shards">S, a power of two.</param>
    /// <param name="pass">Which rule.</param>
    /// <exception cref="ArgumentException">Nodes overlap, are missing, lie outside the tree, or differ in length.</exception>
    public static double[] Merge(IEnumerable<MomentNode> nodes, int shards, MomentPass pass)
    {
        var root = new TreeNodeId(ShardTree.RootLevel(shards), 0);
        var covered = new bool[shards];
        var all = nodes.ToList();
        foreach (var node in all)
            TreeCombiner.Claim(node.Node, root, covered);
        var missing = Array.IndexOf(covered, false);
        if (missing >= 0)
            throw new ArgumentException($"Shard {missing} of {shards} has not arrived.", nameof(nodes));
        return Reduce(all, pass)[0].Values;
    }

    /// <summary>Merges a right child's values into its left sibling's.</summary>
    private static void Join(double[] left, double[] right, MomentPass pass)
    {
        if (left.Length != right.Length)
            throw new ArgumentException($"Moments of {left.Length} and {right.Length} values cannot be merged.", nameof(right));
        if (pass == MomentPass.Backward)
        {
            for (var i = 0; i < left.Length; i++)
                left[i] += right[i];
            return;
        }

        var channels = (left.Length - 1) / 2;
        var (na, nb) = (left[0], right[0]);
        var n = na + nb;
        left[0] = n;
        var (share, weight) = (nb / n, na * nb / n);
        for (var c = 1; c <= channels; c++)
        {
            var d = right[c] - left[c];
            left[c] += d * share;
            left[c + channels] = left[c + channels] + right[c + channels] + d * d * weight;
        }
    }
}
