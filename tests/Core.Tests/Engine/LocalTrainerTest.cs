using AdderNet.Core.Checkpoints;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Engine;
using AdderNet.Core.Models;
using Xunit;

namespace AdderNet.Core.Tests.Engine;

public sealed class LocalTrainerTest
{
    private static readonly DataSource Data = DataSource.Open(new DataOptions { Format = DataFormat.Synthetic, ImageSize = 28 }, null);
    private static readonly TrainingOptions Training = new()
    {
        Batch = new BatchOptions { Global = 64, Shards = 4 },
        Schedule = new ScheduleOptions { Kind = ScheduleKind.Constant, Epochs = 1 },
    };

    [Theory]
    [InlineData(Normalization.Shard)]
    [InlineData(Normalization.Global)]
    public async Task A_model_of_ones_own_learns_with_the_same_bits_at_any_number_of_threads(Normalization normalization)
    {
        var training = Training with { Batch = Training.Batch with { Normalization = normalization } };
        using var one = await TrainAsync(training, threads: 1, steps: 20);
        using var two = await TrainAsync(training, threads: 2, steps: 20);

        Assert.Equal(WeightsHash.Compute(one.Model.Layout, one.Export()), WeightsHash.Compute(two.Model.Layout, two.Export()));
        Assert.Equal(20, one.Step);
        var sums = one.Evaluate(Data.Test);
        Assert.Equal(Data.Test.Count, sums.Samples);
        Assert.True(sums.Top1 > 0.5 * sums.Samples, $"{sums.Top1} of {sums.Samples}");
    }

    [Fact]
    public async Task A_classifier_takes_each_image_for_what_the_evaluation_took_it_for()
    {
        using var trainer = await TrainAsync(Training, threads: 1, steps: 10);
        using var classifier = new Classifier(trainer.Model, trainer.Export(), threads: 2);
        var image = new float[Data.Input.Elements];
        var right = 0;
        for (var i = 0; i < 200; i++)
        {
            Data.Test.Read(i, null, image);
            var prediction = classifier.Classify(image);
            right += prediction.Class == Data.Test.Label(i) ? 1 : 0;
            Assert.InRange(prediction.Probability, 0.1, 1);
        }

        Assert.Equal(trainer.Evaluate(new First(Data.Test, 200)).Top1, right);
    }

    [Fact]
    public async Task A_step_that_is_not_finite_names_layer_and_shard_and_changes_nothing_or_is_skipped()
    {
        using var trainer = Create(Training, threads: 1);
        var before = trainer.Export();
        var fault = await Assert.ThrowsAsync<NotFiniteNumberException>(() => trainer.StepAsync(new Broken()));
        Assert.Equal("step 1: conv is not finite in shard 2", fault.Message);
        Assert.Equal(0, trainer.Step);
        Assert.Equal(before.Parameters, trainer.Export().Parameters);

        using var skipping = Create(Training with { Gradient = new GradientOptions { OnNonfinite = OnTrouble.Skip } }, threads: 1);
        await skipping.StepAsync(new Broken());
        Assert.Equal(1, skipping.Step);
        Assert.Equal(before.Parameters, skipping.Export().Parameters);
    }

    [Fact]
    public void A_batch_that_cannot_be_cut_and_weights_of_another_model_are_refused()
    {
        Assert.Contains("batch.shards: 6", Assert.Throws<InvalidDescriptionException>(
            () => Create(Training with { Batch = new BatchOptions { Global = 60, Shards = 6 } }, 1)).Message, StringComparison.Ordinal);
        Assert.Contains("batch.global: 66", Assert.Throws<InvalidDescriptionException>(
            () => Create(Training with { Batch = new BatchOptions { Global = 66, Shards = 4 } }, 1)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new Classifier(Describe(), new ReplicaState(0, new float[3], new float[3], [])));
    }

    private static ModelDescription Describe()
    {
        var build = new ModelBuilder("mine", Data.Input);
        build.Convolution("conv", LayerMethod.Adder, 8, 4, stride: 4);
        build.BatchNorm("bn1");
        build.Relu("relu");
        build.Linear("fc", LayerMethod.Adder, 10);
        build.BatchNorm("bn2");
        return build.Build();
    }

    private static LocalTrainer Create(TrainingOptions training, int threads) => new(Describe(), training, stepsPerEpoch: 64, threads);

    private static async Task<LocalTrainer> TrainAsync(TrainingOptions training, int threads, int steps)
    {
        var trainer = Create(training, threads);
        var order = new SampleOrder(training.Seed, Data.Train.Count, training.Batch.Global);
        await using var batches = new ShardBatches(Data.Train, Data.Input, order, training, TimeProvider.System);
        var first = await trainer.StepAsync(batches);
        var last = first;
        while (trainer.Step < steps)
            last = await trainer.StepAsync(batches);
        Assert.True(last.Loss < first.Loss, $"{first} {last}");
        return trainer;
    }

    private sealed record First(ISampleSet All, int Count) : ISampleSet
    {
        public int Label(int index) => All.Label(index);

        public void Read(int index, SampleDraw? augmentation, Span<float> destination) => All.Read(index, augmentation, destination);
    }

    private sealed class Broken : IShardBatches
    {
        public ValueTask<SampleBatch> GetAsync(long step, int shard, CancellationToken cancellation)
        {
            var images = new float[16 * Data.Input.Elements];
            images[5] = shard == 2 ? float.NaN : 0;
            return ValueTask.FromResult(new SampleBatch(images, new int[16], 16));
        }
    }
}
