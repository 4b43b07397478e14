using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Engine;
using AdderNet.Core.Models;
using AdderNet.Core.Sharding;
using Xunit;
using Xunit.Abstractions;

namespace AdderNet.Core.Tests.Golden;

/// <summary>
/// A batch cut into shards, normalised over all of them, is in exact arithmetic the same batch on one device. The case
/// (tests/Golden/flip_free_case.py) lies far from every ReLU and max-pool flip, so that float32 shows it.
/// </summary>
public class GlobalNormalizationGoldenTests(ITestOutputHelper output)
{
    private readonly GoldenFile golden = GoldenFile.Open("flip_free.case");

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public async Task Global_normalization_equals_one_shard_of_the_same_batch(int shards)
    {
        var layout = Model.Layout;
        var (whole, cut) = (await Step(1, Normalization.Shard), await Step(shards, Normalization.Global));
        var distances = Tensors(layout).ToDictionary(t => t.Name, t => Distance.RelativeL2(cut.AsSpan(t.Offset, t.Length), whole.AsSpan(t.Offset, t.Length)));
        var worst = distances.MaxBy(pair => pair.Value);
        output.WriteLine($"{shards} shards, {distances.Count} tensors: median {Distance.Median(distances.Values):E2}, worst {worst.Value:E2} ({worst.Key})");
        Assert.True(worst.Value <= 1e-5, $"{worst.Key} differs by {worst.Value:E2}");
        Assert.InRange(cut[layout.LossIndex], whole[layout.LossIndex] - 1e-6, whole[layout.LossIndex] + 1e-6);
    }

    [Fact]
    public async Task Normalising_each_shard_by_itself_is_something_else()
    {
        var (whole, cut) = (await Step(1, Normalization.Shard), await Step(4, Normalization.Shard));
        var distances = Tensors(Model.Layout).Select(t => Distance.RelativeL2(cut.AsSpan(t.Offset, t.Length), whole.AsSpan(t.Offset, t.Length))).ToList();
        output.WriteLine($"median {Distance.Median(distances):E2}");
        Assert.True(Distance.Median(distances) > 1e-2);
    }

    private static ModelDescription Model => ModelCatalog.Describe(new ModelOptions { Name = ModelName.LeNet5 }, new InputShape(28, 28, 1));

    /// <summary>Gradients of all parameters; the statistics of one shard are those of the whole batch in either mode.</summary>
    private static IEnumerable<TensorSlot> Tensors(ModelLayout layout) => layout.Parameters.Select(p => p.Tensor);

    /// <summary>The mean reduction vector of the first step.</summary>
    private async Task<float[]> Step(int shards, Normalization normalization)
    {
        var shape = golden.Shape("images");
        var samples = shape[1];
        var description = new RunDescription
        {
            Model = new ModelOptions { Name = ModelName.LeNet5 },
            Data = new DataOptions { Format = DataFormat.Synthetic },
            Batch = new BatchOptions { Global = samples, Shards = shards, Normalization = normalization },
        };
        using var replica = ManagedReplica.Create(description, Model, stepsPerEpoch: 1, threads: 2);
        var state = replica.Export();
        var prefix = $"flip_free.{golden.Integers("seed")[0]}.";
        foreach (var (tensor, _) in replica.Layout.Parameters)
            SeededValues.Parameter(prefix, tensor.Name, tensor.Shape).CopyTo(state.Parameters, tensor.Offset);
        replica.Import(state);
        var batches = new Batches(golden.Floats("images"), golden.Integers("labels"), samples / shards);
        var sums = await replica.ComputeAsync(new ShardRange(0, shards), batches, new LocalMomentMerge(shards), () => { }, early: null, CancellationToken.None);
        return Array.ConvertAll(Assert.Single(sums).Sum.ToArray(), sum => sum / shards);
    }

    private sealed class Batches(float[] images, int[] labels, int size) : IShardBatches
    {
        public ValueTask<SampleBatch> GetAsync(long step, int shard, CancellationToken cancellation) => ValueTask.FromResult(new SampleBatch(
            images.AsMemory(shard * size * 784, size * 784), labels.AsMemory(shard * size, size), size));
    }
}
