using System.Buffers.Binary;
using AdderNet.Core.Checkpoints;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Engine;
using AdderNet.Core.Models;
using Xunit;

namespace AdderNet.Samples.Tests;

/// <summary>A LeNet-5 trained on a small set in MNIST's format whose images are made up, once for all tests.</summary>
public sealed class TrainedDigits : IAsyncLifetime
{
    public const int Side = 28;
    private const int Steps = 64;
    private readonly string folder = Directory.CreateTempSubdirectory("addernet-predict-").FullName;

    /// <summary>The test images' bytes.</summary>
    public IReadOnlyList<byte[]> Pixels { get; private set; } = [];

    public DataSource Data { get; private set; } = null!;

    public ModelDescription Model { get; private set; } = null!;

    public string Folder => folder;

    public string Config => Path.Combine(folder, "run.yaml");

    public string Weights => Path.Combine(folder, "final.safetensors");

    public async Task InitializeAsync()
    {
        var drawn = DataSource.Open(new DataOptions { Format = DataFormat.Synthetic, ImageSize = Side }, null);
        WriteIdx("train", drawn.Train, 512);
        Pixels = WriteIdx("t10k", drawn.Test, 20);
        await File.WriteAllTextAsync(Config, "model: {name: lenet5}\ndata: {format: idx}\n");

        Data = DataSource.Open(new DataOptions { Format = DataFormat.Idx }, folder);
        Model = ModelCatalog.Describe(new ModelOptions { Name = ModelName.LeNet5 }, Data.Input);
        var training = new TrainingOptions
        {
            Batch = new BatchOptions { Global = 64, Shards = 2 },
            Schedule = new ScheduleOptions { Kind = ScheduleKind.Constant, Epochs = 8 },
        };
        var order = new SampleOrder(training.Seed, Data.Train.Count, training.Batch.Global);
        await using var batches = new ShardBatches(Data.Train, Data.Input, order, training, TimeProvider.System);
        using var trainer = new LocalTrainer(Model, training, order.StepsPerEpoch, threads: 2);
        while (trainer.Step < Steps)
            await trainer.StepAsync(batches);
        CheckpointFile.Save(Weights, Model.Layout, trainer.Export(), new string('0', 64), "test");
    }

    public Task DisposeAsync()
    {
        Directory.Delete(folder, recursive: true);
        return Task.CompletedTask;
    }

    private List<byte[]> WriteIdx(string set, ISampleSet samples, int count)
    {
        var images = new MemoryStream();
        Write(images, 0x0803, count, Side, Side);
        var labels = new MemoryStream();
        Write(labels, 0x0801, count);
        var image = new float[Side * Side];
        var pixels = new List<byte[]>();
        for (var i = 0; i < count; i++)
        {
            samples.Read(i, null, image);
            // Synthetic pixels are normalised by mean 0.5 and deviation 0.25.
            pixels.Add([.. image.Select(value => (byte)Math.Round(((value * 0.25f) + 0.5f) * 255f))]);
            images.Write(pixels[^1]);
            labels.WriteByte((byte)samples.Label(i));
        }

        File.WriteAllBytes(Path.Combine(folder, $"{set}-images-idx3-ubyte"), images.ToArray());
        File.WriteAllBytes(Path.Combine(folder, $"{set}-labels-idx1-ubyte"), labels.ToArray());
        return pixels;
    }

    private static void Write(MemoryStream stream, params int[] header)
    {
        Span<byte> word = stackalloc byte[4];
        foreach (var value in header)
        {
            BinaryPrimitives.WriteInt32BigEndian(word, value);
            stream.Write(word);
        }
    }
}
