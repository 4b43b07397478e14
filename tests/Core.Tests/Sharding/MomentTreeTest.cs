using AdderNet.Core.Engine;
using AdderNet.Core.Sharding;
using Xunit;

namespace AdderNet.Core.Tests.Sharding;

public class MomentTreeTest
{
    [Fact]
    public void Forward_merging_gives_count_mean_and_squared_deviations_of_the_union()
    {
        double[] a = [1, 2, 6], b = [10, 12];
        var merged = MomentTree.Merge([Leaf(0, a), Leaf(1, b)], 2, MomentPass.Forward);
        var all = a.Concat(b).ToArray();
        var mean = all.Average();
        Assert.Equal(5, merged[0]);
        Assert.Equal(mean, merged[1], 12);
        Assert.Equal(all.Sum(x => (x - mean) * (x - mean)), merged[2], 10);
    }

    [Fact]
    public void Backward_merging_adds() =>
        Assert.Equal(
            [11.0, 22.0],
            MomentTree.Merge([new(new TreeNodeId(0, 1), [10, 20]), new(new TreeNodeId(0, 0), [1, 2])], 2, MomentPass.Backward));

    [Theory]
    [InlineData(MomentPass.Forward)]
    [InlineData(MomentPass.Backward)]
    public void Any_cut_into_two_members_and_any_arrival_order_gives_the_same_bits(MomentPass pass)
    {
        var leaves = Enumerable.Range(0, 8).Select(i => Leaf(i, [1.0 / (i + 3), i * 0.3, -7.7 / (i + 1)])).ToArray();
        var expected = MomentTree.Merge(leaves, 8, pass);
        for (var cut = 0; cut <= 8; cut++)
        {
            var left = MomentTree.Reduce(leaves[..cut], pass);
            var right = MomentTree.Reduce(leaves[cut..], pass);
            Assert.Equal(ShardTree.Cover(new ShardRange(0, cut)), left.Select(n => n.Node));
            Assert.Equal(expected, MomentTree.Merge(right.Concat(left), 8, pass));
        }
    }

    [Fact]
    public void Missing_and_overlapping_nodes_are_refused()
    {
        Assert.Throws<ArgumentException>(() => MomentTree.Merge([Leaf(0, [1])], 2, MomentPass.Forward));
        Assert.Throws<ArgumentException>(() => MomentTree.Merge([Leaf(0, [1]), Leaf(0, [1])], 2, MomentPass.Forward));
        Assert.Throws<ArgumentException>(() => MomentTree.Reduce([Leaf(0, [1]), new(new TreeNodeId(1, 0), [1, 1, 0])], MomentPass.Forward));
    }

    private static MomentNode Leaf(int shard, double[] values)
    {
        var mean = values.Average();
        return new MomentNode(new TreeNodeId(0, shard), [values.Length, mean, values.Sum(v => (v - mean) * (v - mean))]);
    }
}
