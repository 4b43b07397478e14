using System.Globalization;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Engine;
using AdderNet.Core.Sharding;
using Xunit;
using static AdderNet.Core.Tests.Engine.TrainingBench;

namespace AdderNet.Core.Tests.Engine;

/// <summary>The binary baselines in whole training steps.</summary>
public sealed class BinaryMethodsTest
{
    [Theory]
    [InlineData(LayerMethod.Binary, Normalization.Shard)]
    [InlineData(LayerMethod.DoReFa, Normalization.Shard)]
    [InlineData(LayerMethod.Xnor, Normalization.Shard)]
    [InlineData(LayerMethod.Xnor, Normalization.Global)]
    public async Task Two_replicas_that_share_the_shards_get_the_bits_of_one(LayerMethod method, Normalization normalization)
    {
        var description = With(LeNet(normalization), method);
        var shards = description.Batch.Shards;
        using var alone = Replica(description);
        using var left = Replica(description);
        using var right = Replica(description, threads: 3);
        var batches = new DrawnBatches(description, Mnist);
        var merge = new SharedMomentMerge(shards);
        for (var step = 0; step < 3; step++)
        {
            var expected = await ComputeAsync(alone, description);
            var parts = await Task.WhenAll(
                left.ComputeAsync(new ShardRange(0, 1), batches, merge, static () => { }, early: null, CancellationToken.None).AsTask(),
                right.ComputeAsync(new ShardRange(1, shards), batches, merge, static () => { }, early: null, CancellationToken.None).AsTask());
            var reduced = Reduce(parts.SelectMany(p => p), shards, alone.Layout);
            Assert.Equal(expected.Hash, reduced.Hash);
            Assert.Equal(0, reduced.Counts.FirstNonFinite);
            foreach (var replica in new[] { alone, left, right })
                replica.Apply(reduced.Mean, skip: false);
        }

        Assert.Equal(alone.Export().Parameters, right.Export().Parameters);
        var batch = await batches.GetAsync(9, 0, CancellationToken.None);
        Assert.Equal(alone.Evaluate(batch, CancellationToken.None), right.Evaluate(batch, CancellationToken.None));
    }

    [Theory]
    [InlineData(LayerMethod.Binary)]
    [InlineData(LayerMethod.DoReFa)]
    [InlineData(LayerMethod.Xnor)]
    public async Task LeNet_learns_a_batch_by_heart(LayerMethod method)
    {
        var description = With(LeNet(shards: 1), method) with { Schedule = new ScheduleOptions { Kind = ScheduleKind.Constant } };
        using var replica = Replica(description);
        var batches = new SameStep(new DrawnBatches(description, Mnist));
        var losses = new List<float>();
        for (var step = 0; step < 40; step++)
        {
            var reduced = await ComputeAsync(replica, description, batches);
            losses.Add(reduced.Mean[^1]);
            replica.Apply(reduced.Mean, skip: false);
        }

        Assert.True(losses[^5..].Max() < 0.6 * losses[0], string.Join(' ', losses));
    }

    [Theory]
    [InlineData(ModelName.ResNet20, LayerMethod.Binary)]
    [InlineData(ModelName.ResNet20, LayerMethod.DoReFa)]
    [InlineData(ModelName.ResNet20, LayerMethod.Xnor)]
    [InlineData(ModelName.ResNet50, LayerMethod.Xnor)]
    public async Task Every_filter_of_a_residual_network_gets_a_finite_gradient(ModelName model, LayerMethod method)
    {
        var description = With(LeNet(shards: 1, global: 2), method);
        description = description with { Model = description.Model with { Name = model } };
        using var replica = Replica(description, threads: 2, new InputShape(32, 32, 3));
        var reduced = await ComputeAsync(replica, description);
        Assert.Equal(0, reduced.Counts.FirstNonFinite);
        foreach (var parameter in replica.Layout.Parameters.Where(p => p.Kind is ParameterKind.Weight or ParameterKind.ClippedWeight))
            Assert.Contains(reduced.Mean[parameter.Tensor.Offset..(parameter.Tensor.Offset + parameter.Tensor.Length)], value => value != 0);
    }

    [Fact]
    public async Task Straight_through_gradients_of_ResNet_50_do_not_grow_from_block_to_block()
    {
        var description = With(LeNet(shards: 1, global: 8), LayerMethod.DoReFa);
        description = description with { Model = description.Model with { Name = ModelName.ResNet50 } };
        using var replica = Replica(description, threads: 2, new InputShape(32, 32, 3));
        var weights = replica.Export().Parameters;
        var gradient = (await ComputeAsync(replica, description)).Mean;
        var layers = replica.Layout.Parameters.Where(p => p.Tensor.Name.EndsWith("conv2.weight", StringComparison.Ordinal)).ToList();
        double Relative(TensorSlot tensor) => Norm(gradient, tensor) / Norm(weights, tensor);
        Assert.True(
            Relative(layers[0].Tensor) < 100 * Relative(layers[^1].Tensor),
            string.Join(' ', layers.Select(layer => Relative(layer.Tensor).ToString("0.####", CultureInfo.InvariantCulture))));
    }

    [Fact]
    public async Task BinaryConnect_keeps_its_filters_within_one_and_the_other_methods_do_not()
    {
        foreach (var method in new[] { LayerMethod.Binary, LayerMethod.DoReFa, LayerMethod.Xnor })
        {
            var description = With(LeNet(shards: 1), method);
            using var replica = Replica(description);
            var state = replica.Export();
            var filters = replica.Layout.Parameters.Single(p => p.Tensor.Name == "fc1.weight").Tensor;
            (state.Parameters[filters.Offset], state.Parameters[filters.Offset + 1]) = (3, -3);
            (state.Parameters[0], state.Parameters[^1]) = (3, 3);
            replica.Import(state);
            replica.Apply((await ComputeAsync(replica, description)).Mean, skip: false);
            var after = replica.Export().Parameters;
            Assert.Equal(method == LayerMethod.Binary, after[filters.Offset] == 1 && after[filters.Offset + 1] == -1);
            // The first convolution and batch norms are real-valued in every method.
            Assert.True(after[0] > 1 && after[^1] > 1);
        }
    }

    private static double Norm(float[] values, TensorSlot tensor) =>
        Math.Sqrt(values.AsSpan(tensor.Offset, tensor.Length).ToArray().Sum(v => (double)v * v));

    private static RunDescription With(RunDescription description, LayerMethod method) =>
        description with { Model = description.Model with { Method = method } };

    /// <summary>Every step sees step 1's samples.</summary>
    private sealed class SameStep(IShardBatches batches) : IShardBatches
    {
        public ValueTask<SampleBatch> GetAsync(long step, int shard, CancellationToken cancellation) => batches.GetAsync(1, shard, cancellation);
    }
}
