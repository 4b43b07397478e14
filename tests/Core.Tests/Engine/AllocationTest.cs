using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Engine;
using AdderNet.Core.Sharding;
using Xunit;
using static AdderNet.Core.Tests.Engine.TrainingBench;

namespace AdderNet.Core.Tests.Engine;

public sealed class AllocationTest
{
    private const int Unmeasured = 3;
    private const int Steps = 3;

    [Theory]
    [InlineData(ModelName.LeNet5, LayerMethod.Adder, Normalization.Shard)]
    [InlineData(ModelName.LeNet5, LayerMethod.Adder, Normalization.Global)]
    [InlineData(ModelName.ResNet20, LayerMethod.Adder, Normalization.Shard)]
    [InlineData(ModelName.ResNet20, LayerMethod.Adder, Normalization.Global)]
    [InlineData(ModelName.ResNet20, LayerMethod.Xnor, Normalization.Shard)]
    [InlineData(ModelName.ResNet20, LayerMethod.DoReFa, Normalization.Global)]
    [InlineData(ModelName.LeNet5, LayerMethod.Binary, Normalization.Shard)]
    [InlineData(ModelName.VggSmall, LayerMethod.Conv, Normalization.Global)]
    [InlineData(ModelName.ResNet50, LayerMethod.Adder, Normalization.Shard)]
    public async Task A_step_allocates_nothing_once_its_buffers_are_made(ModelName name, LayerMethod method, Normalization normalization)
    {
        var side = name switch { ModelName.LeNet5 => 28, ModelName.ResNet50 => 48, _ => 32 };
        var input = new InputShape(side, side, name == ModelName.LeNet5 ? 1 : 3);
        var description = LeNet(normalization, shards: 2, global: 8) with { Model = new ModelOptions { Name = name, Method = method, Classes = 10 } };
        using var replica = Replica(description, threads: 2, input);
        var batches = new KeptBatches(new DrawnBatches(description, input), shards: 2);
        var moments = new LocalMomentMerge(2);
        var listener = new Listener();
        var mean = new float[replica.Layout.ReductionLength];
        await batches.FillAsync();

        // The first progress of each step reads what every compute thread has allocated so far, on the thread that drives the step.
        var (readings, first) = (new List<long>(Unmeasured + Steps + 1), true);
        var applied = new List<long>(Unmeasured + Steps + 1);
        for (var step = 0; step <= Unmeasured + Steps; step++)
        {
            first = true;
            foreach (var sum in await replica.ComputeAsync(new ShardRange(0, 2), batches, moments, Progress, listener, CancellationToken.None))
                sum.Sum.Span.CopyTo(mean);
            applied.Add(AllocatedBytes.By(() => replica.Apply(mean, skip: false)));
        }

        // The least of several steps: a collection in between counts as an allocation.
        Assert.Equal(0, applied.Skip(Unmeasured).Min());
        Assert.Equal(0, readings.Skip(Unmeasured).Zip(readings.Skip(Unmeasured + 1), (earlier, later) => later - earlier).Min());

        void Progress()
        {
            if (first)
                readings.Add(replica.Threads.AllocatedBytes());
            first = false;
        }
    }

    private sealed class Listener : IEarlySums
    {
        public void FinalFrom(IReadOnlyList<SubtreeSum> sums, int from)
        {
        }
    }

    /// <summary>The first step's samples, drawn once.</summary>
    private sealed class KeptBatches(IShardBatches drawn, int shards) : IShardBatches
    {
        private readonly SampleBatch[] kept = new SampleBatch[shards];

        public async Task FillAsync()
        {
            for (var shard = 0; shard < kept.Length; shard++)
                kept[shard] = await drawn.GetAsync(1, shard, CancellationToken.None);
        }

        public ValueTask<SampleBatch> GetAsync(long step, int shard, CancellationToken cancellation) => ValueTask.FromResult(kept[shard]);
    }
}
