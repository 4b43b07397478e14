using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Data.Images;
using AdderNet.Core.Models;
using AdderNet.Core.Numerics;
using AdderNet.Core.Sharding;

namespace AdderNet.Core.Engine;

/// <summary>
/// A small computation that a worker's arithmetic must pass before it may join a run: two training steps of a tiny model
/// with every kind of layer, over random draws. Machines that agree on it agree on every operation that training uses.
/// </summary>
public static class TrainingProbe
{
    private const int Shards = 2;
    private const int ShardSize = 4;
    private const int Classes = 5;
    private static readonly InputShape Input = new(9, 9, 3);

    /// <summary>Lower-case hex SHA-256 over the state after the steps; the same for every thread count.</summary>
    /// <param name="threads">Threads to compute with.</param>
    public static string Hash(int threads = 1)
    {
        var description = new RunDescription
        {
            Model = new ModelOptions { Name = ModelName.ResNet20, Classes = Classes },
            Data = new DataOptions { Format = DataFormat.Synthetic },
            Batch = new BatchOptions { Global = Shards * ShardSize, Shards = Shards, Normalization = Normalization.Global },
            Optimizer = new OptimizerOptions { Nesterov = true },
            Schedule = new ScheduleOptions { Epochs = 1 },
        };
        using var replica = ManagedReplica.Create(description, Describe(), stepsPerEpoch: 2, threads);
        var batches = new ProbeBatches();
        var merge = new LocalMomentMerge(Shards);
        for (var step = 0; step < 2; step++)
        {
            var sums = replica.ComputeAsync(new ShardRange(0, Shards), batches, merge, static () => { }, early: null, CancellationToken.None)
                .AsTask().GetAwaiter().GetResult();
            var combiner = new TreeCombiner(Shards, replica.Layout.ReductionLength);
            foreach (var sum in sums)
                combiner.Add(sum.Node, sum.Sum.Span, sum.Counts);
            var mean = new float[replica.Layout.ReductionLength];
            combiner.Finish(mean);
            replica.Apply(mean, skip: false);
        }

        var evaluated = replica.Evaluate(batches.Draw(step: 3, shard: 0), CancellationToken.None);
        return Digest(replica.Export(), evaluated.LossSum);
    }

    /// <summary>
    /// What must agree besides where the data are encoded pictures: lower-case hex SHA-256 over decoded, resampled and
    /// augmented samples of built-in pictures. Empty for other data, which need no decoder.
    /// </summary>
    /// <param name="data">Section <c>data</c>.</param>
    /// <exception cref="DataException">What decodes pictures is not installed.</exception>
    public static string HashPictures(DataOptions data) =>
        data.Format is DataFormat.Folder or DataFormat.Tar ? PictureProbe.Hash(data.Decode) : "";

    private static ModelDescription Describe()
    {
        var build = new ModelBuilder("probe", Input);
        build.Convolution("conv1", LayerMethod.Conv, 8, 3, WeightStart.UniformFanIn, padding: 1);
        build.BatchNorm("bn1");
        build.Relu("relu1");
        build.MaxPool("pool1", 3, 2, padding: 1);
        new ResidualStages(build, LayerMethod.Adder, WeightStart.StandardNormal, bottleneck: false).Add("layer1", 12, 1, stride: 2);
        AddBinary("binary", LayerMethod.Binary, kernel: 1);
        AddBinary("xnor", LayerMethod.Xnor, kernel: 3);
        AddBinary("dorefa", LayerMethod.DoReFa, kernel: 1);
        build.GlobalAveragePool("avgpool");
        build.Convolution("fc", LayerMethod.Conv, Classes, 1, WeightStart.KaimingFanOut, bias: true);
        build.BatchNorm("bn2");
        return build.Build();

        void AddBinary(string name, LayerMethod method, int kernel)
        {
            build.Convolution(name, method, 12, kernel, padding: kernel / 2);
            build.BatchNorm($"{name}.bn");
        }
    }

    private static string Digest(ReplicaState state, double loss)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(MemoryMarshal.AsBytes<float>(state.Parameters));
        hash.AppendData(MemoryMarshal.AsBytes<float>(state.Momentum));
        hash.AppendData(MemoryMarshal.AsBytes<float>(state.Statistics));
        Span<byte> bits = stackalloc byte[sizeof(double)];
        BinaryPrimitives.WriteDoubleLittleEndian(bits, loss);
        hash.AppendData(bits);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private sealed class ProbeBatches : IShardBatches
    {
        public ValueTask<SampleBatch> GetAsync(long step, int shard, CancellationToken cancellation) => ValueTask.FromResult(Draw(step, shard));

        public SampleBatch Draw(long step, int shard)
        {
            var draws = new Philox(seed: 1, DrawPurpose.Probe, (uint)step, (uint)shard);
            var images = new float[ShardSize * Input.Elements];
            for (var i = 0; i < images.Length; i++)
                images[i] = (float)draws.NextNormal();
            var labels = new int[ShardSize];
            for (var i = 0; i < labels.Length; i++)
                labels[i] = draws.NextBelow(Classes);
            return new SampleBatch(images, labels, ShardSize);
        }
    }
}
