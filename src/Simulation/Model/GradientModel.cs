using AdderNet.Core.Data;
using AdderNet.Core.Sharding;

namespace AdderNet.Simulation.Model;

/// <summary>One node of the shard tree: an element each of the reduction vector, and the counts that cross with it.</summary>
internal sealed record NodeSum(TreeNodeId Node, ulong[] Values, StepCounts Counts);

/// <summary>
/// Arithmetic by hashing: a shard's gradient is a hash of the weights and of the samples it used, a parent a hash of its two
/// children. Another sample, another order or a shard left out gives another hash, so that equality is exact.
/// </summary>
internal sealed class GradientModel(SampleOrder order, int shards, int batch, long nonFiniteStep)
{
    /// <summary>Elements of the reduction vector.</summary>
    public const int Length = 8;

    /// <summary>The initial weights.</summary>
    public const ulong Initial = 0x1234_5678_9ABC_DEF0;

    public int Shards => shards;

    public long StepsPerEpoch => order.StepsPerEpoch;

    /// <summary>The sample indexes of one shard of one step.</summary>
    public ReadOnlySpan<int> Samples(long step, int shard) => order.Samples(step, shard, batch / shards);

    /// <summary>Sums of the largest aligned subtrees in a range, from weights that hash to <paramref name="state"/>.</summary>
    public IReadOnlyList<NodeSum> Compute(ulong state, long step, ShardRange range) =>
        [.. ShardTree.Cover(range).Select(node => Sum(state, step, node))];

    /// <summary>Two children's parent.</summary>
    public static NodeSum Join(NodeSum left, NodeSum right)
    {
        var values = new ulong[left.Values.Length];
        for (var i = 0; i < values.Length; i++)
            values[i] = Mixing.Of(left.Values[i], right.Values[i]);
        return new NodeSum(ShardTree.Parent(left.Node), values, left.Counts + right.Counts);
    }

    /// <summary>What is voted for: a hash of the whole reduction and its counts.</summary>
    public static ulong VotedHash(ReadOnlySpan<ulong> mean, StepCounts counts) =>
        Mixing.Of(Mixing.Of(mean), Mixing.Of((ulong)counts.Samples, (ulong)counts.Correct, (ulong)counts.FirstNonFinite));

    /// <summary>Weights after a step.</summary>
    public static ulong Apply(ulong state, ReadOnlySpan<ulong> mean, bool skip) => skip ? state : Mixing.Of(state, Mixing.Of(mean));

    /// <summary>The loss of a step, from its mean.</summary>
    public static float LossOf(ReadOnlySpan<ulong> mean) => (mean[0] >> 48) / 64f;

    /// <summary>One block of an evaluation, from the weights.</summary>
    public static (long Samples, long Top1, long Top5, double LossSum) Evaluate(ulong state, int block, int size)
    {
        var drawn = Mixing.Of(state, (ulong)block);
        return (size, (long)(drawn % 7), (long)(drawn % 11), (drawn >> 40) / 1024.0);
    }

    private NodeSum Sum(ulong state, long step, TreeNodeId node)
    {
        if (node.Level > 0)
            return Join(Sum(state, step, new(node.Level - 1, 2 * node.Index)), Sum(state, step, new(node.Level - 1, (2 * node.Index) + 1)));
        var gradient = Mixing.Of(state, (ulong)node.Index);
        foreach (var sample in Samples(step, node.Index))
            gradient = Mixing.Of(gradient, (ulong)sample);
        var values = new ulong[Length];
        for (var i = 0; i < Length; i++)
            values[i] = Mixing.Of(gradient, (ulong)i);
        // The shard in the middle is the one whose third layer overflows.
        var nonFinite = step == nonFiniteStep && node.Index == shards / 2 ? 1 + ((2L << 32) | (uint)node.Index) : 0;
        return new NodeSum(node, values, new StepCounts(batch / shards, (long)(gradient % (ulong)(1 + (batch / shards))), nonFinite));
    }
}
