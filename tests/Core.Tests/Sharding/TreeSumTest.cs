using AdderNet.Core.Sharding;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace AdderNet.Core.Tests.Sharding;

public class TreeSumTest
{
    private const int Length = 37;

    [Fact]
    public void Any_partition_in_any_arrival_order_gives_the_bits_of_the_plain_recursive_tree()
    {
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(300),
            Prop.ForAll(ArbMap.Default.ArbFor<int>(), ArbMap.Default.ArbFor<int[]>(), ArbMap.Default.ArbFor<int[]>(), (seed, cuts, order) =>
            {
                var shards = 1 << (int)((uint)seed % 6);
                var leaves = Leaves(shards, seed);
                var expected = Recursive(leaves, new ShardRange(0, shards));
                for (var i = 0; i < Length; i++)
                    expected[i] /= shards;

                var sums = Partition(shards, cuts).SelectMany(range => Accumulate(leaves, range)).ToList();
                var combiner = new TreeCombiner(shards, Length);
                foreach (var (sum, _) in sums.Select((s, i) => (s, Key: order.Length == 0 ? 0 : order[i % order.Length] ^ i)).OrderBy(p => p.Key))
                    combiner.Add(sum.Node, sum.Sum.AsSpan(), sum.Counts);
                var mean = new float[Length];
                var counts = combiner.Finish(mean);
                return Bits(mean).SequenceEqual(Bits(expected)) && counts.Samples == shards && counts.Correct == shards * (shards - 1) / 2;
            }));
    }

    [Fact]
    public void The_data_of_these_tests_tells_a_running_sum_from_the_tree()
    {
        var leaves = Leaves(16, 5);
        var running = new float[Length];
        foreach (var leaf in leaves)
        {
            for (var i = 0; i < Length; i++)
                running[i] += leaf[i];
        }

        Assert.NotEqual(Bits(Recursive(leaves, new ShardRange(0, 16))), Bits(running));
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(8, 5)]
    [InlineData(64, 8)]
    public void An_aligned_range_keeps_at_most_log2_of_its_size_plus_two_buffers(int shards, int most)
    {
        var leaves = Leaves(shards, 1);
        var accumulator = new SubtreeAccumulator(Length);
        for (var step = 0; step < 3; step++)
            Fill(accumulator, leaves, new ShardRange(0, shards));
        Assert.InRange(accumulator.BuffersMade, 1, most);
    }

    [Fact]
    public void Shards_out_of_turn_and_missing_shards_are_refused()
    {
        var accumulator = new SubtreeAccumulator(Length);
        accumulator.Reset(new ShardRange(2, 4));
        Assert.Throws<ArgumentException>(() => accumulator.Begin(3));
        accumulator.Begin(2);
        Assert.Throws<ArgumentException>(() => accumulator.Complete([default, default]));
        accumulator.Complete([default]);
        Assert.Contains("Shard 3", Assert.Throws<InvalidOperationException>(() => accumulator.Result()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Shards_added_together_and_piece_by_piece_give_the_bits_of_the_plain_recursive_tree()
    {
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(300),
            Prop.ForAll(ArbMap.Default.ArbFor<int>(), ArbMap.Default.ArbFor<int[]>(), ArbMap.Default.ArbFor<int[]>(), (seed, groups, places) =>
            {
                var leaves = Leaves(16, seed);
                var accumulator = new SubtreeAccumulator(Length);
                var range = new ShardRange((int)((uint)seed % 7), 16 - (int)((uint)seed / 7 % 5));
                accumulator.Reset(range);
                for (var (shard, group) = (range.First, 0); shard < range.End; group++)
                {
                    var together = Math.Min(range.End - shard, groups.Length == 0 ? 1 : 1 + (int)((uint)groups[group % groups.Length] % 5));
                    var begun = Enumerable.Range(shard, together).Select(s => (Shard: s, Leaf: accumulator.Begin(s))).ToList();
                    var written = Length;
                    foreach (var from in places.Select(p => (int)((uint)p % Length)).Append(0).OrderDescending())
                    {
                        begun.ForEach(b => leaves[b.Shard].AsSpan(from, written - from).CopyTo(b.Leaf.AsSpan(from)));
                        accumulator.AddFrom(written = from);
                    }

                    accumulator.Complete([.. begun.Select(b => new StepCounts(1, b.Shard, 0))]);
                    shard += together;
                }

                return accumulator.Result().Zip(ShardTree.Cover(range)).All(pair => pair.First.Node == pair.Second
                    && Bits(pair.First.Sum.ToArray()).SequenceEqual(Bits(Recursive(leaves, pair.Second.Shards)))
                    && pair.First.Counts == new StepCounts(pair.Second.Shards.Count, Enumerable.Range(pair.Second.Shards.First, pair.Second.Shards.Count).Sum(), 0));
            }));
    }

    [Fact]
    public void Duplicate_overlapping_foreign_and_missing_nodes_are_refused()
    {
        var values = new float[Length];
        var combiner = new TreeCombiner(8, Length);
        combiner.Add(new TreeNodeId(1, 1), values, default);
        Assert.Throws<ArgumentException>(() => combiner.Add(new TreeNodeId(1, 1), values, default));
        Assert.Throws<ArgumentException>(() => combiner.Add(new TreeNodeId(0, 3), values, default));
        Assert.Throws<ArgumentException>(() => combiner.Add(new TreeNodeId(3, 0), values, default));
        Assert.Throws<ArgumentException>(() => combiner.Add(new TreeNodeId(1, 4), values, default));
        Assert.Throws<ArgumentException>(() => combiner.Add(new TreeNodeId(4, 0), values, default));
        Assert.Throws<ArgumentException>(() => combiner.Add(new TreeNodeId(0, 0), values.AsSpan(1), default));
        Assert.Contains("Shard 0", Assert.Throws<InvalidOperationException>(() => combiner.Finish(values)).Message, StringComparison.Ordinal);
        Assert.False(combiner.IsComplete);
    }

    [Fact]
    public void The_first_non_finite_shard_is_the_smallest_of_all_nodes()
    {
        var combiner = new TreeCombiner(4, 0);
        combiner.Add(new TreeNodeId(1, 1), [], new StepCounts(2, 0, 1 + (3L << 32 | 2)));
        combiner.Add(new TreeNodeId(0, 1), [], new StepCounts(1, 0, 1 + (2L << 32 | 1)));
        combiner.Add(new TreeNodeId(0, 0), [], new StepCounts(1, 1, 0));
        Assert.Equal(new StepCounts(4, 1, 1 + (2L << 32 | 1)), combiner.Finish([]));
    }

    private static List<(TreeNodeId Node, float[] Sum, StepCounts Counts)> Accumulate(float[][] leaves, ShardRange range)
    {
        var accumulator = new SubtreeAccumulator(Length);
        Fill(accumulator, leaves, range);
        var result = accumulator.Result();
        Assert.Equal(ShardTree.Cover(range), result.Select(r => r.Node));
        return result.Select(r => (r.Node, r.Sum.ToArray(), r.Counts)).ToList();
    }

    private static void Fill(SubtreeAccumulator accumulator, float[][] leaves, ShardRange range)
    {
        accumulator.Reset(range);
        for (var shard = range.First; shard < range.End; shard++)
        {
            leaves[shard].CopyTo(accumulator.Begin(shard), 0);
            accumulator.Complete([new StepCounts(1, shard, 0)]);
        }
    }

    private static float[] Recursive(float[][] leaves, ShardRange range)
    {
        if (range.Count == 1)
            return leaves[range.First].ToArray();
        var middle = range.First + range.Count / 2;
        var left = Recursive(leaves, new ShardRange(range.First, middle));
        var right = Recursive(leaves, new ShardRange(middle, range.End));
        for (var i = 0; i < Length; i++)
            left[i] += right[i];
        return left;
    }

    private static IEnumerable<ShardRange> Partition(int shards, int[] cuts)
    {
        var bounds = cuts.Select(c => (int)((uint)c % (uint)(shards + 1))).Append(0).Append(shards).Order().ToArray();
        return bounds.Zip(bounds.Skip(1), (first, end) => new ShardRange(first, end));
    }

    // Values of very different sizes, so that another order of additions gives other bits.
    private static float[][] Leaves(int shards, int seed)
    {
        var state = unchecked((uint)seed * 2654435761u + 1);
        return Enumerable.Range(0, shards).Select(_ => Enumerable.Range(0, Length).Select(_ =>
        {
            state = state * 1664525u + 1013904223u;
            return ((int)(state >> 8) - 8388608) / (float)(1 << (int)(state & 15));
        }).ToArray()).ToArray();
    }

    private static int[] Bits(float[] values) => Array.ConvertAll(values, BitConverter.SingleToInt32Bits);
}
