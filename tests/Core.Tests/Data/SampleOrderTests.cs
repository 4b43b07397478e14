using AdderNet.Core.Data;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace AdderNet.Core.Tests.Data;

public sealed class SampleOrderTests
{
    [Theory] // From an independent program (Philox4x32-10 and Fisher-Yates written in Python).
    [InlineData(1, 0, new[] { 6, 5, 3, 8, 0, 7, 9, 1, 10, 11, 4, 2 })]
    [InlineData(1, 1, new[] { 6, 0, 8, 11, 9, 2, 5, 1, 4, 3, 7, 10 })]
    [InlineData(-5, 3, new[] { 2, 5, 4, 1, 0, 3, 6 })]
    public void The_permutation_of_an_epoch_is_fixed_for_ever(long seed, int epoch, int[] expected) =>
        Assert.Equal(expected, new SampleOrder(seed, expected.Length, 2).Permutation(epoch));

    [Fact]
    public void Shards_share_no_sample_and_an_epoch_uses_each_sample_at_most_once()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<(PositiveInt Extra, PositiveInt Steps, PositiveInt Size, int Power, long Seed, PositiveInt Epoch)>(), given =>
        {
            var (shards, size) = (1 << (Math.Abs(given.Power % 4)), given.Size.Get % 5 + 1);
            var batch = shards * size;
            var steps = given.Steps.Get % 6 + 1;
            var samples = (batch * steps) + (given.Extra.Get % batch);
            var order = new SampleOrder(given.Seed, samples, batch);
            Assert.Equal(steps, order.StepsPerEpoch);
            var epoch = given.Epoch.Get % 50;
            var used = new List<int>();
            for (var step = (epoch * steps) + 1; step <= (epoch + 1) * steps; step++)
            {
                Assert.Equal(epoch, order.Epoch(step));
                for (var shard = 0; shard < shards; shard++)
                    used.AddRange(order.Samples(step, shard, size));
            }

            Assert.Equal(steps * batch, used.Distinct().Count());
            Assert.All(used, sample => Assert.InRange(sample, 0, samples - 1));
            Assert.Equal(order.Permutation(epoch).Take(used.Count), used);
            Assert.Equal(Enumerable.Range(0, samples), order.Permutation(epoch).Order());
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Another_cut_into_shards_gives_the_same_global_batch()
    {
        var order = new SampleOrder(3, 100, 16);
        var whole = order.Samples(9, 0, 16).ToArray();
        Assert.Equal(whole, Enumerable.Range(0, 4).SelectMany(shard => order.Samples(9, shard, 4).ToArray()));
    }

    [Fact]
    public void Epochs_and_seeds_differ_in_order_and_in_the_tail_they_drop()
    {
        var order = new SampleOrder(1, 1000, 300);
        Assert.NotEqual(order.Permutation(0), order.Permutation(1));
        Assert.NotEqual(order.Permutation(0)[900..].Order(), order.Permutation(1)[900..].Order());
        Assert.NotEqual(order.Permutation(0), new SampleOrder(2, 1000, 300).Permutation(0));
    }

    [Fact]
    public void Fewer_samples_than_a_batch_are_refused()
    {
        var error = Assert.Throws<DataException>(() => new SampleOrder(1, 100, 256));
        Assert.Equal("batch.global: 256 is more than the 100 training samples; for example batch.global: 64", error.Message);
    }
}
