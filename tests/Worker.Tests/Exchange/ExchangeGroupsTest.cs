using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using AdderNet.Core.Engine;
using AdderNet.Core.Numerics;
using AdderNet.Core.Sharding;
using AdderNet.Worker.Exchange;
using AdderNet.Worker.Membership;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace AdderNet.Worker.Tests.Exchange;

/// <summary>Who adds what up where with groups, without the wire: any member count, group size, shard count and cuts.</summary>
public class ExchangeGroupsTest
{
    private const int Length = 70;

    [Fact]
    public void Groups_hold_all_who_compute_evenly_and_each_group_holds_each_bucket_once() => ForAll(drawn =>
    {
        var groups = new ExchangeGroups(drawn.Members, drawn.GroupSize);
        var computing = drawn.Members.Where(m => m.Computes).ToList();
        var all = Enumerable.Range(0, groups.Count).Select(groups.Members).ToList();
        Assert.Equal(computing, all.SelectMany(g => g));
        Assert.All(all, g => Assert.InRange(g.Count, 1, drawn.GroupSize <= 1 ? int.MaxValue : drawn.GroupSize));
        Assert.InRange(all.Max(g => g.Count) - all.Min(g => g.Count), 0, 1);
        foreach (var bucket in BucketPlan.Cut(Length, 4, drawn.Members))
        {
            Assert.All(Enumerable.Range(0, groups.Count), g => Assert.Contains(groups.Holder(bucket, g), groups.Members(g)));
            Assert.Equal(bucket.Owner, groups.Holder(bucket, groups.GroupOf(bucket.Owner)));
        }

        // Members of equal groups hold equally many buckets.
        if (all.All(g => g.Count == all[0].Count))
        {
            var buckets = BucketPlan.Cut(computing.Count, sizeof(float), drawn.Members);
            Assert.Single(computing.Select(m => buckets.Count(b => groups.Holder(b, groups.GroupOf(m)) == m)).Distinct());
        }
    });

    [Fact]
    public void Sums_that_went_through_groups_have_the_bits_of_the_shard_tree() => ForAll(drawn =>
    {
        var philox = new Philox(drawn.Seed, DrawPurpose.Simulation, 1);
        var leaves = ExchangeCase.Leaves(drawn.Shards, Length, (uint)drawn.Seed);
        var groups = new ExchangeGroups(drawn.Members, drawn.GroupSize);
        var sums = drawn.Members.ToDictionary(m => m, m => ExchangeCase.Sums(leaves, m.Range));
        var mean = new float[Length];
        var free = new ConcurrentBag<TreeCombiner>();
        foreach (var bucket in BucketPlan.Cut(Length, Length, drawn.Members))
        {
            var home = groups.GroupOf(bucket.Owner);
            var whole = new BucketReduction(bucket, drawn.Shards, new ShardRange(0, drawn.Shards), free);
            whole.Begin(OwnSums.Of(sums[bucket.Owner]), mean);
            var arriving = groups.Members(home).Where(m => m != bucket.Owner).SelectMany(m => Slices(sums[m], bucket)).ToList();
            foreach (var group in Enumerable.Range(0, groups.Count).Where(g => g != home))
                arriving.AddRange(GroupSums(bucket, group));
            Take(whole, arriving);
            Assert.Equal(ExchangeCase.OneMember(leaves).Counts, whole.Counts);
        }

        Assert.Equal(ExchangeCase.Bits(ExchangeCase.OneMember(leaves).Mean), ExchangeCase.Bits(mean));

        List<SubtreeSum> GroupSums(Bucket bucket, int group)
        {
            var deputy = groups.Holder(bucket, group);
            var part = new BucketReduction(bucket, drawn.Shards, groups.Range(group), free);
            part.Begin(OwnSums.Of(sums[deputy]), []);
            Take(part, [.. groups.Members(group).Where(m => m != deputy).SelectMany(m => Slices(sums[m], bucket))]);
            Assert.Equal(ShardTree.Cover(groups.Range(group)), part.Nodes.Select(n => n.Node));
            return [.. part.Nodes.Select(n => new SubtreeSum(n.Node, MemoryMarshal.Cast<byte, float>(n.Payload.Span).ToArray(), n.Counts))];
        }

        void Take(BucketReduction reduction, List<SubtreeSum> arriving)
        {
            arriving = [.. arriving.OrderBy(_ => philox.NextBelow(int.MaxValue))];
            if (arriving.Count == 0)
                reduction.FinishAlone();
            for (var i = 0; i < arriving.Count; i++)
                Assert.Equal(i == arriving.Count - 1, reduction.Add(0, arriving[i].Node, arriving[i].Sum.Span, arriving[i].Counts));
        }
    });

    [Fact]
    public void A_deputy_refuses_what_lies_outside_its_group()
    {
        var reduction = new BucketReduction(new Bucket(0, 0, 2, new MemberInfo("w0", "", new ShardRange(0, 2), true)), 8, new ShardRange(4, 6), []);
        reduction.Begin(OwnSums.Of(ExchangeCase.Sums(ExchangeCase.Leaves(8, 2, 1), new ShardRange(4, 5))), []);
        var error = Assert.Throws<FormatException>(() => reduction.Add(0, new TreeNodeId(0, 6), [1, 2], default));
        Assert.Contains("outside the shards [4,6)", error.Message, StringComparison.Ordinal);
        Assert.True(reduction.Add(0, new TreeNodeId(0, 5), [1, 2], default));
    }

    private static IEnumerable<SubtreeSum> Slices(IReadOnlyList<SubtreeSum> sums, Bucket bucket) =>
        sums.Select(s => s with { Sum = s.Sum.Slice(bucket.Offset, bucket.Length) });

    private sealed record Drawn(int Seed, int Shards, int GroupSize, IReadOnlyList<MemberInfo> Members);

    private static void ForAll(Action<Drawn> holds)
    {
        var generator = from level in Gen.Choose(0, 7)
                        from count in Gen.Choose(1, 70)
                        from size in Gen.Choose(0, 70)
                        from seed in Gen.Choose(0, 1 << 20)
                        select Draw(1 << level, count, size, seed);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(200), Prop.ForAll(generator.ToArbitrary(), holds));
    }

    /// <summary>Cuts anywhere: at most <paramref name="shards"/> members compute, the others have nothing.</summary>
    private static Drawn Draw(int shards, int count, int size, int seed)
    {
        var philox = new Philox(seed, DrawPurpose.Simulation, 0);
        var cuts = Enumerable.Range(1, shards - 1).OrderBy(_ => philox.NextBelow(int.MaxValue));
        int[] bounds = [0, .. cuts.Take(Math.Min(count, shards) - 1).Order(), shards];
        var members = Enumerable.Range(0, count).Select(i => new MemberInfo(
            $"w{i}", "", i < bounds.Length - 1 ? new ShardRange(bounds[i], bounds[i + 1]) : new ShardRange(shards, shards), true));
        return new Drawn(seed, shards, size, [.. members]);
    }
}
