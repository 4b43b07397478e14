using AdderNet.Core.Configuration;
using AdderNet.Core.Engine;
using Xunit;
using static AdderNet.Core.Tests.Engine.TrainingBench;

namespace AdderNet.Core.Tests.Engine;

public sealed class NonFiniteTest
{
    [Theory]
    [InlineData("conv2.adder", float.PositiveInfinity, "conv2")]
    [InlineData("bn3.weight", float.NaN, "bn3")]
    [InlineData("fc3.adder", float.NegativeInfinity, "fc3")]
    [InlineData("bn5.bias", float.NaN, "bn5")]
    public async Task A_spoilt_weight_is_found_in_its_layer_of_the_first_shard(string name, float value, string layer)
    {
        var description = LeNet();
        using var replica = Replica(description);
        var state = replica.Export();
        state.Parameters[replica.Layout.Parameters.Single(p => p.Tensor.Name == name).Tensor.Offset] = value;
        replica.Import(state);
        var counts = (await ComputeAsync(replica, description)).Counts;
        Assert.Equal((layer, 0), Place(replica, counts.FirstNonFinite));
    }

    [Theory]
    [InlineData(Normalization.Shard)]
    [InlineData(Normalization.Global)]
    public async Task A_spoilt_sample_is_found_in_the_first_layer_of_its_shard(Normalization normalization)
    {
        var description = LeNet(normalization);
        using var replica = Replica(description);
        var batches = new DrawnBatches(description, Mnist)
        {
            Spoil = (shard, images) =>
            {
                if (shard >= 2)
                    images[100] = float.NaN;
            },
        };
        var counts = (await ComputeAsync(replica, description, batches)).Counts;
        Assert.Equal(("conv1", 2), Place(replica, counts.FirstNonFinite));
    }

    [Fact]
    public async Task A_gradient_that_overflows_behind_a_finite_loss_is_found()
    {
        // Equal logits keep the loss finite; going back, 1e38 meets 1 / sqrt(0 + eps).
        var description = LeNet();
        using var replica = Replica(description);
        var state = replica.Export();
        foreach (var (name, value) in new[] { ("bn4.weight", 0f), ("bn5.weight", 1e38f) })
        {
            var scale = replica.Layout.Parameters.Single(p => p.Tensor.Name == name).Tensor;
            state.Parameters.AsSpan(scale.Offset, scale.Length).Fill(value);
        }

        replica.Import(state);
        var reduced = await ComputeAsync(replica, description);
        var (layer, shard) = Place(replica, reduced.Counts.FirstNonFinite);
        Assert.Equal("gradient of fc3", layer);
        Assert.Equal(0, shard);
    }

    private static (string Layer, int Shard) Place(ManagedReplica replica, long firstNonFinite)
    {
        Assert.NotEqual(0, firstNonFinite);
        return (replica.Model.LayerNames[(int)((firstNonFinite - 1) >> 32)], (int)((firstNonFinite - 1) & 0xFFFFFFFF));
    }
}
