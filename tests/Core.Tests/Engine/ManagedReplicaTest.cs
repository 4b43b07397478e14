using AdderNet.Core.Configuration;
using AdderNet.Core.Engine;
using AdderNet.Core.Sharding;
using Xunit;
using static AdderNet.Core.Tests.Engine.TrainingBench;

namespace AdderNet.Core.Tests.Engine;

public sealed class ManagedReplicaTest
{
    [Theory]
    [InlineData(Normalization.Shard, 1)]
    [InlineData(Normalization.Shard, 2)]
    [InlineData(Normalization.Global, 1)]
    [InlineData(Normalization.Global, 3)]
    public async Task Two_replicas_that_share_the_shards_get_the_bits_of_one(Normalization normalization, int cut)
    {
        var description = LeNet(normalization);
        var shards = description.Batch.Shards;
        using var alone = Replica(description);
        using var left = Replica(description);
        using var right = Replica(description, threads: 2);
        var batches = new DrawnBatches(description, Mnist);
        var merge = new SharedMomentMerge(shards);
        for (var step = 0; step < 3; step++)
        {
            var expected = await ComputeAsync(alone, description);
            var parts = await Task.WhenAll(
                left.ComputeAsync(new ShardRange(0, cut), batches, merge, static () => { }, early: null, CancellationToken.None).AsTask(),
                right.ComputeAsync(new ShardRange(cut, shards), batches, merge, static () => { }, early: null, CancellationToken.None).AsTask());
            var reduced = Reduce(parts.SelectMany(p => p), shards, alone.Layout);

            Assert.Equal(expected.Hash, reduced.Hash);
            Assert.Equal(16, reduced.Counts.Samples);
            Assert.Equal(0, reduced.Counts.FirstNonFinite);
            foreach (var replica in new[] { alone, left, right })
                replica.Apply(reduced.Mean, skip: false);
        }

        Assert.Equal(alone.Export().Parameters, right.Export().Parameters);
        Assert.Equal(alone.Export().Statistics, left.Export().Statistics);
    }

    [Theory]
    [InlineData(Normalization.Shard)]
    [InlineData(Normalization.Global)]
    public async Task The_number_of_threads_changes_no_bit(Normalization normalization)
    {
        var description = LeNet(normalization);
        var hashes = new List<ulong>();
        foreach (var threads in new[] { 1, 2, 3 })
        {
            using var replica = Replica(description, threads);
            hashes.Add((await TrainAsync(replica, description, 3))[^1].Hash);
        }

        Assert.Single(hashes.Distinct());
    }

    [Fact]
    public async Task Another_seed_changes_the_bits()
    {
        using var one = Replica(LeNet());
        using var other = Replica(LeNet() with { Seed = 8 });
        Assert.NotEqual((await ComputeAsync(one, LeNet())).Hash, (await ComputeAsync(other, LeNet())).Hash);
    }

    [Fact]
    public async Task Global_normalisation_is_a_one_shard_run_up_to_rounding_and_shard_normalisation_is_not()
    {
        var whole = LeNet(Normalization.Shard, shards: 1);
        using var one = Replica(whole);
        using var four = Replica(LeNet(Normalization.Global));
        using var local = Replica(LeNet());
        var expected = (await ComputeAsync(one, whole)).Mean;
        var global = (await ComputeAsync(four, LeNet(Normalization.Global))).Mean;
        var shard = (await ComputeAsync(local, LeNet())).Mean;
        foreach (var parameter in one.Layout.Parameters)
        {
            var (offset, length) = (parameter.Tensor.Offset, parameter.Tensor.Length);
            Assert.InRange(Distance(global.AsSpan(offset, length), expected.AsSpan(offset, length)), 0, 1e-5);
            Assert.True(Distance(shard.AsSpan(offset, length), expected.AsSpan(offset, length)) > 1e-3, parameter.Tensor.Name);
        }

        var (first, statistics) = (one.Layout.ParameterLength, one.Layout.StatisticsLength);
        Assert.InRange(Distance(global.AsSpan(first, statistics), expected.AsSpan(first, statistics)), 0, 1e-6);
        Assert.Equal(expected[^1], global[^1], 1e-5f);
    }

    [Theory]
    [InlineData(LayerMethod.Adder)]
    [InlineData(LayerMethod.Conv)]
    public async Task LeNet_learns_a_batch_by_heart(LayerMethod method)
    {
        var description = LeNet(shards: 2) with { Schedule = new ScheduleOptions { Kind = ScheduleKind.Constant } };
        description = description with { Model = description.Model with { Method = method } };
        using var replica = Replica(description);
        var batches = new SameStep(new DrawnBatches(description, Mnist));
        var first = await ComputeAsync(replica, description, batches);
        var last = first;
        for (var step = 0; step < 12; step++)
        {
            last = await ComputeAsync(replica, description, batches);
            replica.Apply(last.Mean, skip: false);
        }

        Assert.True(last.Mean[^1] < 0.65 * first.Mean[^1], $"{first.Mean[^1]} to {last.Mean[^1]}");
        Assert.True(last.Counts.Correct >= 10, $"{last.Counts.Correct} of 16");
    }

    [Fact]
    public async Task A_skipped_step_leaves_the_weights_and_advances_the_step()
    {
        var description = LeNet();
        using var replica = Replica(description);
        var reduced = (await TrainAsync(replica, description, 2))[^1];
        var before = replica.Export();
        replica.Apply(reduced.Mean, skip: true);
        var after = replica.Export();
        Assert.Equal(before with { Step = 3 }, after with { Parameters = before.Parameters, Momentum = before.Momentum, Statistics = before.Statistics });
        Assert.Equal(before.Parameters, after.Parameters);
        Assert.Equal(before.Momentum, after.Momentum);
        Assert.Equal(before.Statistics, after.Statistics);
    }

    [Fact]
    public async Task A_replica_that_takes_over_a_state_goes_on_with_the_same_bits()
    {
        var description = LeNet();
        using var first = Replica(description);
        await TrainAsync(first, description, 2);
        using var second = Replica(description with { Seed = 1000 });
        second.Import(first.Export());
        Assert.Equal(2, second.AppliedStep);
        Assert.Equal((await TrainAsync(first, description, 2))[^1].Hash, (await TrainAsync(second, description, 2))[^1].Hash);
        Assert.Equal(first.Export().Momentum, second.Export().Momentum);
    }

    [Fact]
    public void A_state_of_another_model_is_refused_and_changes_nothing()
    {
        using var replica = Replica(LeNet());
        var before = replica.Export();
        Assert.Throws<ArgumentException>(() => replica.Import(new ReplicaState(5, new float[3], new float[3], new float[3])));
        Assert.Equal(0, replica.AppliedStep);
        Assert.Equal(before.Parameters, replica.Export().Parameters);
    }

    [Theory]
    [InlineData(Normalization.Shard)]
    [InlineData(Normalization.Global)]
    public async Task A_cancelled_step_can_be_computed_again_with_the_same_bits(Normalization normalization)
    {
        var description = LeNet(normalization);
        using var replica = Replica(description);
        var expected = await ComputeAsync(replica, description);
        using var source = new CancellationTokenSource();
        var layers = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => replica.ComputeAsync(
            new ShardRange(0, 4), new DrawnBatches(description, Mnist), new LocalMomentMerge(4),
            () =>
            {
                if (++layers == 20)
                    source.Cancel();
            },
            early: null,
            source.Token).AsTask());
        Assert.Equal(20, layers);
        Assert.Equal(0, replica.AppliedStep);
        Assert.Equal(expected.Hash, (await ComputeAsync(replica, description)).Hash);
    }

    [Fact]
    public async Task An_empty_range_gives_no_sums()
    {
        using var replica = Replica(LeNet(Normalization.Global));
        var sums = await replica.ComputeAsync(
            new ShardRange(2, 2), new DrawnBatches(LeNet(), Mnist), new LocalMomentMerge(4), static () => { }, early: null, CancellationToken.None);
        Assert.Empty(sums);
    }

    [Fact]
    public async Task Evaluation_does_not_depend_on_how_samples_are_cut_and_ties_take_the_lowest_class()
    {
        var wide = LeNet(shards: 1);
        var narrow = LeNet(shards: 8);
        using var one = Replica(wide);
        using var many = Replica(narrow, threads: 2);
        var batch = await new DrawnBatches(wide, Mnist).GetAsync(3, 0, CancellationToken.None);
        Assert.Equal(one.Evaluate(batch, CancellationToken.None), many.Evaluate(batch, CancellationToken.None));

        // All logits equal: the label counts as hit only where it is class 0, and among the first five where it is below 5.
        var state = one.Export();
        var last = one.Layout.Parameters.Single(p => p.Tensor.Name == "bn5.weight").Tensor;
        Array.Clear(state.Parameters, last.Offset, last.Length);
        one.Import(state);
        var sums = one.Evaluate(batch, CancellationToken.None);
        Assert.Equal(batch.Labels.ToArray().Count(l => l == 0), sums.Top1);
        Assert.Equal(batch.Labels.ToArray().Count(l => l < 5), sums.Top5);
        Assert.Equal(16 * Math.Log(10), sums.LossSum, 1e-9);
    }

    [Fact]
    public async Task Running_statistics_move_a_tenth_of_the_way_once_a_step()
    {
        var description = LeNet();
        using var replica = Replica(description);
        var reduced = (await TrainAsync(replica, description, 1))[0];
        var state = replica.Export();
        foreach (var slot in replica.Layout.Statistics)
        {
            var start = slot.Name.EndsWith("var", StringComparison.Ordinal) ? 1f : 0f;
            for (var i = slot.Offset; i < slot.Offset + slot.Length; i++)
                Assert.Equal((float)(0.9 * start + 0.1 * reduced.Mean[replica.Layout.ParameterLength + i]), state.Statistics[i]);
        }
    }

    [Fact]
    public void A_batch_that_leaves_one_value_to_normalise_over_is_refused()
    {
        var fault = Assert.Throws<InvalidDescriptionException>(() => Replica(LeNet(shards: 16)));
        Assert.Contains("batch.global", fault.Message, StringComparison.Ordinal);
        using var global = Replica(LeNet(Normalization.Global, shards: 16));
    }

    /// <summary>Every step sees step 1's samples.</summary>
    private sealed class SameStep(IShardBatches batches) : IShardBatches
    {
        public ValueTask<SampleBatch> GetAsync(long step, int shard, CancellationToken cancellation) => batches.GetAsync(1, shard, cancellation);
    }
}
