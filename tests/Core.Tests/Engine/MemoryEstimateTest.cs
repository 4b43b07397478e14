using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Engine;
using AdderNet.Core.Models;
using Xunit;

namespace AdderNet.Core.Tests.Engine;

public sealed class MemoryEstimateTest
{
    private static readonly ModelDescription LeNet = ModelCatalog.Describe(new ModelOptions { Name = ModelName.LeNet5 }, new InputShape(28, 28, 1));

    [Fact]
    public void Global_normalisation_holds_all_shards_of_a_worker_at_once()
    {
        var batch = new BatchOptions { Global = 256, Shards = 8 };
        var shard = MemoryEstimate.Of(LeNet, batch, workers: 2);
        var global = MemoryEstimate.Of(LeNet, batch with { Normalization = Normalization.Global }, workers: 2);
        Assert.Equal(1, shard.ShardsHeld);
        Assert.Equal(4, global.ShardsHeld);
        Assert.Equal(61_942, shard.Parameters);
        Assert.Equal(4 * (2 * 61_942 + 472), shard.StateBytes);
        Assert.True(global.TotalBytes > shard.TotalBytes);
        Assert.True(MemoryEstimate.Of(LeNet, batch, workers: 1).ReductionBytes > shard.ReductionBytes);
    }

    [Fact]
    public void A_shard_holds_at_least_every_convolutions_input_and_output()
    {
        var batch = new BatchOptions { Global = 8, Shards = 8 };
        var convolutions = LeNet.Nodes.OfType<ConvolutionNode>().Sum(n => n.Out.Elements);
        Assert.InRange(MemoryEstimate.Of(LeNet, batch, 1).ShardBytes, 4 * 2 * convolutions, 4 * 4 * convolutions + 4 * 2 * 784);
    }
}
