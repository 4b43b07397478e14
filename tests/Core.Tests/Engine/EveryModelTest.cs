using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Engine;
using AdderNet.Core.Sharding;
using Xunit;
using static AdderNet.Core.Tests.Engine.TrainingBench;

namespace AdderNet.Core.Tests.Engine;

/// <summary>Every model of the paper with every method: steps of one worker have the bits of the same steps by three.</summary>
public sealed class EveryModelTest
{
    private static readonly InputShape Cifar = new(32, 32, 3);
    private static readonly ShardRange[] ThreeWorkers = [new(3, 4), new(0, 2), new(2, 3)];

    public static TheoryData<ModelName, LayerMethod> Models
    {
        get
        {
            var models = new TheoryData<ModelName, LayerMethod>();
            foreach (var model in Enum.GetValues<ModelName>())
            {
                foreach (var method in Enum.GetValues<LayerMethod>())
                    models.Add(model, method);
            }

            return models;
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public async Task One_and_three_workers_have_one_hash(ModelName model, LayerMethod method)
    {
        var description = LeNet(global: 8) with { Model = new ModelOptions { Name = model, Method = method } };
        var input = model == ModelName.LeNet5 ? Mnist : Cifar;
        var batches = new DrawnBatches(description, input);
        using var alone = Replica(description, input: input);
        using var worker = Replica(description, input: input);
        var initial = alone.Export().Parameters;
        for (var step = 0; step < Steps(model); step++)
        {
            var expected = await ComputeAsync(alone, description, batches);
            var shared = await ComputeInTurnAsync(worker, description, batches);

            Assert.Equal(expected.Hash, shared.Hash);
            Assert.Equal(0, shared.Counts.FirstNonFinite);
            alone.Apply(expected.Mean, skip: false);
            worker.Apply(shared.Mean, skip: false);
        }

        var trained = alone.Export().Parameters;
        Assert.Equal(trained, worker.Export().Parameters);
        Assert.All(alone.Layout.Parameters.Where(p => p.Tensor.Shape.Count > 1), p => Assert.False(
            initial.AsSpan(p.Tensor.Offset, p.Tensor.Length).SequenceEqual(trained.AsSpan(p.Tensor.Offset, p.Tensor.Length)),
            $"{p.Tensor.Name} did not move"));
    }

    private static int Steps(ModelName model) => model is ModelName.LeNet5 or ModelName.ResNet20 or ModelName.ResNet32 ? 2 : 1;

    /// <summary>The three workers' shares, computed one after another and added in the order in which they would arrive.</summary>
    private static async Task<ReducedStep> ComputeInTurnAsync(ManagedReplica worker, RunDescription description, DrawnBatches batches)
    {
        var combiner = new TreeCombiner(description.Batch.Shards, worker.Layout.ReductionLength);
        foreach (var range in ThreeWorkers)
        {
            foreach (var sum in await worker.ComputeAsync(range, batches, new NoMeeting(), static () => { }, early: null, CancellationToken.None))
                combiner.Add(sum.Node, sum.Sum.Span, sum.Counts);
        }

        var mean = new float[worker.Layout.ReductionLength];
        var counts = combiner.Finish(mean);
        return ReducedStep.Create(mean, counts);
    }

    /// <summary>Normalisation by shard asks nobody.</summary>
    private sealed class NoMeeting : IMomentMerge
    {
        public ValueTask<double[]> MergeAsync(int meeting, MomentPass pass, IReadOnlyList<MomentNode> mine, CancellationToken cancellation) =>
            throw new InvalidOperationException("a shard's batch norm met other members");
    }
}
