using AdderNet.Core.Sharding;
using Xunit;

namespace AdderNet.Core.Tests.Sharding;

public class ShardTreeTest
{
    [Fact]
    public void The_whole_range_is_the_root() =>
        Assert.Equal([new TreeNodeId(3, 0)], ShardTree.Cover(new ShardRange(0, 8)));

    [Fact]
    public void An_unaligned_range_is_cut_into_its_largest_aligned_subtrees() =>
        Assert.Equal(
            [new TreeNodeId(0, 1), new TreeNodeId(1, 1), new TreeNodeId(1, 2), new TreeNodeId(0, 6)],
            ShardTree.Cover(new ShardRange(1, 7)));

    [Fact]
    public void A_spare_covers_nothing() => Assert.Empty(ShardTree.Cover(new ShardRange(3, 3)));

    [Theory]
    [InlineData(0)]
    [InlineData(6)]
    [InlineData(-8)]
    public void A_number_of_shards_that_is_no_power_of_two_is_refused(int shards) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ShardTree.RootLevel(shards));

    [Fact]
    public void Every_cover_is_exact_and_no_two_neighbours_could_be_one_subtree()
    {
        for (var first = 0; first < 32; first++)
        {
            for (var end = first; end <= 32; end++)
            {
                var nodes = ShardTree.Cover(new ShardRange(first, end));
                Assert.Equal(Enumerable.Range(first, end - first), nodes.SelectMany(n => Enumerable.Range(n.Shards.First, n.Shards.Count)));
                Assert.DoesNotContain(nodes.Zip(nodes.Skip(1)), pair => ShardTree.AreSiblings(pair.First, pair.Second));
            }
        }
    }
}
