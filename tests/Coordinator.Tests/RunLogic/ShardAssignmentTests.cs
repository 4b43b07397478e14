using AdderNet.Coordinator.RunLogic;
using AdderNet.Core.Sharding;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace AdderNet.Coordinator.Tests.RunLogic;

public class ShardAssignmentTests
{
    [Fact]
    public void Ranges_cover_all_shards_once_in_order_with_aligned_cuts_and_nobody_idle()
    {
        var cases =
            from level in Gen.Choose(0, 7)
            from members in Gen.Choose(1, 20)
            from speeds in Gen.ArrayOf(Gen.Choose(1, 1000).Select(s => s / 100.0), members)
            select (Shards: 1 << level, Speeds: speeds);

        Prop.ForAll(Arb.From(cases), c =>
        {
            var ranges = ShardAssignment.Cut(c.Shards, c.Speeds);
            var computing = Math.Min(c.Shards, c.Speeds.Length);
            var unit = ShardAssignment.Granularity(c.Shards, computing);
            Assert.Equal(c.Speeds.Length, ranges.Length);
            Assert.Equal(0, ranges[0].First);
            for (var i = 0; i < computing; i++)
            {
                Assert.True(ranges[i].Count > 0);
                Assert.Equal(0, ranges[i].First % unit);
                Assert.Equal(i + 1 == computing ? c.Shards : ranges[i + 1].First, ranges[i].End);
            }

            Assert.All(ranges.Skip(computing), r => Assert.Equal(0, r.Count));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void No_other_cut_would_make_the_slowest_member_faster()
    {
        var cases =
            from speeds in Gen.ArrayOf(Gen.Choose(1, 8).Select(s => (double)s), 3)
            select speeds;
        Prop.ForAll(Arb.From(cases), speeds =>
        {
            double Slowest(int a, int b) => new[] { (a, 0, a), (b, a, b), (8, b, 8) }
                .Select((r, i) => (r.Item3 - r.Item2) * speeds.Max() / speeds[i] + 0.05 * ShardAssignment.Subtrees(r.Item2, r.Item3)).Max();
            var best = (from a in Enumerable.Range(1, 6) from b in Enumerable.Range(a + 1, 7 - a) select Slowest(a, b)).Min();
            var chosen = ShardAssignment.Cut(8, speeds);
            Assert.Equal(best, Slowest(chosen[0].End, chosen[1].End), 9);
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData(0, 8, 1)]
    [InlineData(1, 8, 3)]
    [InlineData(3, 5, 2)]
    [InlineData(4, 4, 0)]
    public void Subtrees_of_a_range_are_its_largest_aligned_parts(int first, int end, int expected) =>
        Assert.Equal(expected, ShardAssignment.Subtrees(first, end));

    [Fact]
    public void A_member_twice_as_fast_gets_about_twice_as_much()
    {
        Assert.Equal([new ShardRange(0, 11), new ShardRange(11, 16)], ShardAssignment.Cut(16, [2, 1]).ToArray());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(6)]
    public void Shards_that_are_no_power_of_two_are_refused(int shards) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ShardAssignment.Cut(shards, [1]));
}
