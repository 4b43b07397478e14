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
        var stack = new List<MomentNode>();
        foreach (var node in nodes.OrderBy(n => n.Node.Shards.First))
        {
            if (stack.Count > 0 && stack[^1].Node.Shards.End > node.Node.Shards.First)
                throw new ArgumentException($"Node {node.Node} overlaps {stack[^1].Node}.", nameof(nodes));
            var right = node;
            while (stack.Count > 0 && ShardTree.AreSiblings(stack[^1].Node, right.Node))
            {
                var left = stack[^1];
                stack.RemoveAt(stack.Count - 1);
                right = new MomentNode(ShardTree.Parent(left.Node), Join(left.Values, right.Values, pass));
            }

            stack.Add(right);
        }

        return stack;
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

    private static double[] Join(double[] left, double[] right, MomentPass pass)
    {
        if (left.Length != right.Length)
            throw new ArgumentException($"Moments of {left.Length} and {right.Length} values cannot be merged.", nameof(right));
        var joined = new double[left.Length];
        if (pass == MomentPass.Backward)
        {
            for (var i = 0; i < joined.Length; i++)
                joined[i] = left[i] + right[i];
            return joined;
        }

        var channels = (left.Length - 1) / 2;
        var (na, nb) = (left[0], right[0]);
        var n = na + nb;
        joined[0] = n;
        var (share, weight) = (nb / n, na * nb / n);
        for (var c = 1; c <= channels; c++)
        {
            var d = right[c] - left[c];
            joined[c] = left[c] + d * share;
            joined[c + channels] = left[c + channels] + right[c + channels] + d * d * weight;
        }

        return joined;
    }
}
