using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Engine;
using AdderNet.Core.Numerics;
using AdderNet.Core.Sharding;

namespace AdderNet.Core.Tests.Engine;

/// <summary>Small runs on drawn samples. A sample depends on (step, index in the global batch) alone, however the batch is cut.</summary>
internal static class TrainingBench
{
    public static readonly InputShape Mnist = new(28, 28, 1);

    public static RunDescription LeNet(Normalization normalization = Normalization.Shard, int shards = 4, int global = 16) => new()
    {
        Model = new ModelOptions { Name = ModelName.LeNet5 },
        Data = new DataOptions { Format = DataFormat.Synthetic },
        Batch = new BatchOptions { Global = global, Shards = shards, Normalization = normalization },
        Optimizer = new OptimizerOptions { Nesterov = true, LearningRate = 0.05 },
        Schedule = new ScheduleOptions { Epochs = 10 },
        Seed = 7,
    };

    public static ManagedReplica Replica(RunDescription description, int threads = 1, InputShape? input = null) =>
        ManagedReplica.Create(description, input ?? Mnist, stepsPerEpoch: 5, threads);

    /// <summary>Computes the next step on one replica that owns all shards, and reduces it.</summary>
    public static async Task<ReducedStep> ComputeAsync(ManagedReplica replica, RunDescription description, IShardBatches? batches = null)
    {
        var shards = description.Batch.Shards;
        var sums = await replica.ComputeAsync(
            new ShardRange(0, shards), batches ?? new DrawnBatches(description, replica.Model.Input),
            new LocalMomentMerge(shards), static () => { }, early: null, CancellationToken.None);
        return Reduce(sums, shards, replica.Layout);
    }

    public static ReducedStep Reduce(IEnumerable<SubtreeSum> sums, int shards, ModelLayout layout)
    {
        var combiner = new TreeCombiner(shards, layout.ReductionLength);
        foreach (var sum in sums)
            combiner.Add(sum.Node, sum.Sum.Span, sum.Counts);
        var mean = new float[layout.ReductionLength];
        var counts = combiner.Finish(mean);
        return ReducedStep.Create(mean, counts);
    }

    /// <summary>Trains and returns every step as it was applied.</summary>
    public static async Task<List<ReducedStep>> TrainAsync(ManagedReplica replica, RunDescription description, int steps)
    {
        var reduced = new List<ReducedStep>();
        for (var i = 0; i < steps; i++)
        {
            reduced.Add(await ComputeAsync(replica, description));
            replica.Apply(reduced[^1].Mean, skip: false);
        }

        return reduced;
    }

    public static double Distance(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var (difference, length) = (0.0, 0.0);
        for (var i = 0; i < a.Length; i++)
        {
            difference += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
            length += (double)b[i] * b[i];
        }

        return Math.Sqrt(difference / length);
    }
}

/// <summary>Normal images and uniform labels.</summary>
internal sealed class DrawnBatches(RunDescription description, InputShape input) : IShardBatches
{
    /// <summary>Changes the drawn images of a shard.</summary>
    public Action<int, float[]> Spoil { get; init; } = static (_, _) => { };

    public ValueTask<SampleBatch> GetAsync(long step, int shard, CancellationToken cancellation)
    {
        var count = description.Batch.ShardSize;
        var images = new float[count * input.Elements];
        var labels = new int[count];
        for (var i = 0; i < count; i++)
        {
            var draws = new Philox(99, DrawPurpose.SyntheticData, (uint)(shard * count + i), (uint)step);
            labels[i] = draws.NextBelow(description.Model.Classes);
            for (var e = 0; e < input.Elements; e++)
                images[i * input.Elements + e] = (float)draws.NextNormal();
        }

        Spoil(shard, images);
        return ValueTask.FromResult(new SampleBatch(images, labels, count));
    }
}

/// <summary>A meeting in memory for replicas that run at the same time.</summary>
internal sealed class SharedMomentMerge(int shards) : IMomentMerge
{
    private readonly Lock gate = new();
    private readonly Dictionary<int, (List<MomentNode> Nodes, TaskCompletionSource<double[]> Root)> meetings = [];

    public async ValueTask<double[]> MergeAsync(int meeting, MomentPass pass, IReadOnlyList<MomentNode> mine, CancellationToken cancellation)
    {
        Task<double[]> root;
        lock (gate)
        {
            if (!meetings.TryGetValue(meeting, out var here))
                meetings[meeting] = here = ([], new TaskCompletionSource<double[]>(TaskCreationOptions.RunContinuationsAsynchronously));
            here.Nodes.AddRange(mine);
            if (here.Nodes.Sum(n => n.Node.Shards.Count) == shards)
            {
                here.Root.SetResult(MomentTree.Merge(here.Nodes, shards, pass));
                meetings.Remove(meeting);
            }

            root = here.Root.Task;
        }

        return await root.WaitAsync(cancellation);
    }
}
