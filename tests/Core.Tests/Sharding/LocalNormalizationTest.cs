using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Engine;
using AdderNet.Core.Optimization;
using AdderNet.Core.Sharding;
using Xunit;
using Xunit.Abstractions;

namespace AdderNet.Core.Tests.Sharding;

/// <summary>
/// What the published code does under data parallelism: each replica normalises its own gradient (eq. 12-13) inside
/// autograd, and the normalised gradients are averaged. Here its weights are laid beside those of one worker and of ours.
/// </summary>
public class LocalNormalizationTest(ITestOutputHelper output)
{
    private const int Shards = 8;
    private const int Steps = 10;

    private static readonly RunDescription Run = new()
    {
        Model = new ModelOptions { Name = ModelName.LeNet5 },
        Data = new DataOptions { Format = DataFormat.Synthetic, ImageSize = 28 },
        Batch = new BatchOptions { Global = 32, Shards = Shards },
        Schedule = new ScheduleOptions { Epochs = 1 },
        Seed = 3,
    };

    [Fact]
    public async Task Normalising_local_gradients_does_not_give_one_workers_weights_and_the_global_norm_does()
    {
        var oneWorker = await TrainAsync(1, local: false);
        Assert.Equal(oneWorker, await TrainAsync(1, local: true));
        foreach (var workers in new[] { 2, 4, 8 })
        {
            var ours = Distance(oneWorker, await TrainAsync(workers, local: false));
            var published = Distance(oneWorker, await TrainAsync(workers, local: true));
            output.WriteLine($"{workers} workers, {Steps} steps of LeNet-5: weights differ from one worker's by {published:0.0000} relative L2 with local norms, by {ours} with the global norm");
            Assert.Equal(0, ours);
            Assert.InRange(published, 0.01, 10);
        }
    }

    /// <summary>Trains with so many workers, each with an equal range of shards, and returns the parameters.</summary>
    private static async Task<float[]> TrainAsync(int workers, bool local)
    {
        var data = DataSource.Open(Run.Data, null);
        var order = new SampleOrder(Run.Seed, data.Train.Count, Run.Batch.Global);
        await using var batches = new ShardBatches(data.Train, data.Input, order, Run.Training, TimeProvider.System);

        // With local norms the gradients arrive scaled, so the optimiser must not scale them again.
        var scaling = local ? GradientScaling.None : GradientScaling.Adaptive;
        using var replica = ManagedReplica.Create(Run with { Gradient = Run.Gradient with { Scaling = scaling } }, data.Input, order.StepsPerEpoch, 1);
        var length = replica.Layout.ReductionLength;
        for (var step = 0; step < Steps; step++)
        {
            var mean = new float[length];
            var combiner = new TreeCombiner(Shards, length);
            for (var worker = 0; worker < workers; worker++)
            {
                var range = new ShardRange(Shards * worker / workers, Shards * (worker + 1) / workers);
                var sum = Assert.Single(await replica.ComputeAsync(range, batches, new LocalMomentMerge(Shards), () => { }, early: null, CancellationToken.None));
                var values = sum.Sum.ToArray();
                if (local)
                    NormaliseLocally(replica.Layout, values, range.Count);
                combiner.Add(sum.Node, values, sum.Counts);
            }

            combiner.Finish(mean);
            replica.Apply(mean, skip: false);
        }

        return replica.Export().Parameters;
    }

    /// <summary>Multiplies the adder gradients of one worker by the rate that its own mean gives.</summary>
    private static void NormaliseLocally(ModelLayout layout, float[] sum, int shards)
    {
        foreach (var parameter in layout.Parameters)
        {
            var slice = sum.AsSpan(parameter.Tensor.Offset, parameter.Tensor.Length);
            var mean = new float[slice.Length];
            for (var i = 0; i < mean.Length; i++)
                mean[i] = slice[i] / shards;
            var scale = AdaptiveRate.Scale(parameter, mean, GradientScaling.Adaptive, Run.Optimizer.Eta);
            for (var i = 0; i < mean.Length; i++)
                slice[i] *= scale;
        }
    }

    private static double Distance(float[] expected, float[] actual)
    {
        var (difference, norm) = (0.0, 0.0);
        for (var i = 0; i < expected.Length; i++)
        {
            difference += ((double)actual[i] - expected[i]) * ((double)actual[i] - expected[i]);
            norm += (double)expected[i] * expected[i];
        }

        return Math.Sqrt(difference / norm);
    }
}
