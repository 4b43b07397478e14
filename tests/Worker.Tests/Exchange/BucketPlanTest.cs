using AdderNet.Core.Sharding;
using AdderNet.Worker.Exchange;
using AdderNet.Worker.Membership;
using Xunit;

namespace AdderNet.Worker.Tests.Exchange;

public class BucketPlanTest
{
    [Theory]
    [InlineData(25_600_000, 4 << 20, 3)]
    [InlineData(62_000, 4 << 20, 5)]
    [InlineData(2, 4, 5)]
    [InlineData(1000, 1, 2)]
    public void Buckets_cover_the_vector_once_and_are_spread_evenly_over_members_that_compute(int length, int bytes, int workers)
    {
        var members = Enumerable.Range(0, workers).Select(i => new MemberInfo($"w{i}", "", new ShardRange(i, i + 1), true))
            .Append(new MemberInfo("spare", "", new ShardRange(8, 8), true)).ToList();
        var buckets = BucketPlan.Cut(length, bytes, members);

        Assert.Equal(0, buckets[0].Offset);
        Assert.All(buckets.Zip(buckets.Skip(1)), p => Assert.Equal(p.First.Offset + p.First.Length, p.Second.Offset));
        Assert.Equal(length, buckets[^1].Offset + buckets[^1].Length);
        Assert.All(buckets, b => Assert.InRange(b.Length * 4L, 4, Math.Max(bytes, 4)));
        Assert.DoesNotContain(buckets, b => b.Owner.WorkerId == "spare");
        var perOwner = members.Take(workers).Select(m => buckets.Count(b => b.Owner == m)).ToList();
        Assert.InRange(perOwner.Max() - perOwner.Min(), 0, length < workers ? 1 : 0);
    }

    [Theory]
    [InlineData(270_000, 4 << 20, 2, 8)]
    [InlineData(270_000, 4 << 20, 3, 9)]
    [InlineData(62_000, 4 << 20, 1, 3)]
    [InlineData(16_000, 4 << 20, 1, 1)]
    [InlineData(25_600_000, 4 << 20, 1, 25)]
    public void A_vector_that_is_small_for_the_wanted_size_is_cut_all_the_same_unless_messages_would_cost_more(int length, int bytes, int workers, int count)
    {
        var members = Enumerable.Range(0, workers).Select(i => new MemberInfo($"w{i}", "", new ShardRange(i, i + 1), true)).ToList();
        Assert.Equal(count, BucketPlan.Cut(length, bytes, members).Count);
    }
}
