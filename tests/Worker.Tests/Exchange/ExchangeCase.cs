using AdderNet.Core.Engine;
using AdderNet.Core.Sharding;
using AdderNet.Worker.Membership;

namespace AdderNet.Worker.Tests.Exchange;

/// <summary>Random shard vectors, a partition of the shards, and the sums that each member would compute.</summary>
internal static class ExchangeCase
{
    // Values of very different sizes, so that another order of additions gives other bits.
    public static float[][] Leaves(int shards, int length, uint seed)
    {
        var state = seed * 2654435761u + 1;
        return Enumerable.Range(0, shards).Select(_ => Enumerable.Range(0, length).Select(_ =>
        {
            state = state * 1664525u + 1013904223u;
            return ((int)(state >> 8) - 8388608) / (float)(1 << (int)(state & 15));
        }).ToArray()).ToArray();
    }

    public static IReadOnlyList<SubtreeSum> Sums(float[][] leaves, ShardRange range)
    {
        var accumulator = new SubtreeAccumulator(leaves[0].Length);
        accumulator.Reset(range);
        for (var shard = range.First; shard < range.End; shard++)
        {
            var leaf = accumulator.Begin(shard);
            leaves[shard].CopyTo(leaf, 0);
            accumulator.Complete([new StepCounts(3, shard, shard == 5 ? 1 + (7L << 32 | 5) : 0)]);
        }

        return accumulator.Result();
    }

    public static (float[] Mean, StepCounts Counts) OneMember(float[][] leaves)
    {
        var combiner = new TreeCombiner(leaves.Length, leaves[0].Length);
        foreach (var sum in Sums(leaves, new ShardRange(0, leaves.Length)))
            combiner.Add(sum.Node, sum.Sum.Span, sum.Counts);
        var mean = new float[leaves[0].Length];
        return (mean, combiner.Finish(mean));
    }

    public static GenerationView View(IReadOnlyList<ExchangeMember> members, IReadOnlyList<ShardRange> ranges, long generation = 1, long baseStep = 0) => new(
        ExchangeMember.Run,
        generation,
        members.Select((m, i) => new MemberInfo(m.Id, m.Address, ranges[i], true)).ToList(),
        baseStep, 0, [], string.Empty, "test");

    /// <summary>Cuts [0, shards) at the given places; members beyond the cuts get what is left, possibly nothing.</summary>
    public static List<ShardRange> Ranges(int shards, int members, uint seed)
    {
        var cuts = Enumerable.Range(1, members - 1).Select(i => (int)((seed * 40503u + (uint)i * 2654435761u) >> 7) % (shards + 1)).Select(Math.Abs);
        var bounds = cuts.Append(0).Append(shards).Order().ToArray();
        return bounds.Zip(bounds.Skip(1), (first, end) => new ShardRange(first, end)).ToList();
    }

    public static int[] Bits(float[] values) => Array.ConvertAll(values, BitConverter.SingleToInt32Bits);
}
