using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Engine;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace AdderNet.Core.Tests.Data;

public sealed class ShardBatchesTests
{
    private static readonly RunDescription Description = new()
    {
        Model = new ModelOptions { Name = ModelName.LeNet5 },
        Data = new DataOptions { Format = DataFormat.Synthetic, ImageSize = 8, Augment = Augmentation.CropFlip },
        Batch = new BatchOptions { Global = 32, Shards = 8 },
        Seed = 5,
    };

    private static readonly DataSource Source = DataSource.Open(Description.Data, null);
    private static readonly SampleOrder Order = new(Description.Seed, Source.Train.Count, 32);

    [Fact]
    public async Task Every_shard_holds_its_samples_augmented_for_its_epoch_in_whatever_order_it_is_asked_for()
    {
        await using var batches = Open();
        foreach (var (step, shard) in new (long, int)[] { (1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2), (3, 4), (3, 5), (2, 7), (128, 7), (129, 0), (129, 0), (1, 0) })
            Same(step, shard, await batches.GetAsync(step, shard, CancellationToken.None));
    }

    [Fact]
    public void Any_questions_get_the_same_answers_as_without_reading_ahead()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<(byte Step, byte First, byte Count)[]>(), generations =>
        {
            Ask(generations).GetAwaiter().GetResult();
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(30));

        static async Task Ask((byte Step, byte First, byte Count)[] generations)
        {
            await using var batches = Open();
            foreach (var generation in generations)
            {
                var first = generation.First % 8;
                var end = Math.Min(8, first + 1 + (generation.Count % 8));
                for (long step = 1 + generation.Step; step < 3 + generation.Step; step++)
                {
                    for (var shard = first; shard < end; shard++)
                        Same(step, shard, await batches.GetAsync(step, shard, CancellationToken.None));
                }
            }
        }
    }

    [Fact]
    public async Task Batches_of_one_step_stay_valid_together()
    {
        await using var batches = Open();
        for (var step = 1L; step < 4; step++)
        {
            var all = new List<SampleBatch>();
            for (var shard = 0; shard < 8; shard++)
                all.Add(await batches.GetAsync(step, shard, CancellationToken.None));
            for (var shard = 0; shard < 8; shard++)
                Same(step, shard, all[shard]);
        }
    }

    [Fact]
    public async Task Reading_ahead_is_bounded_and_follows_the_range_that_is_asked_for()
    {
        var counting = new CountingSamples(Source.Train);
        await using (var batches = new ShardBatches(counting, Source.Input, Order, Description.Training, TimeProvider.System, readAhead: 3))
        {
            for (var step = 1L; step <= 20; step++)
            {
                for (var shard = 2; shard < 4; shard++)
                    await batches.GetAsync(step, shard, CancellationToken.None);
            }
        }

        // 40 shards of 4 samples were needed; besides them at most what was foreseen wrongly in steps 1 and 2, and three shards at the end.
        Assert.InRange(counting.Reads, 160, 160 + (4 * (3 + 3 + 3)));
    }

    [Fact]
    public async Task A_sample_that_cannot_be_read_is_reported_to_whoever_asks_for_it()
    {
        var broken = new CountingSamples(Source.Train) { FailsAfter = 12 };
        await using var batches = new ShardBatches(broken, Source.Input, Order, Description.Training, TimeProvider.System);
        var error = await Assert.ThrowsAsync<DataException>(async () =>
        {
            for (var shard = 0; shard < 8; shard++)
                await batches.GetAsync(1, shard, CancellationToken.None);
        });
        Assert.Equal("sample is damaged", error.Message);
    }

    [Fact]
    public async Task Any_number_of_threads_reads_the_same()
    {
        await using var batches = new ShardBatches(Source.Train, Source.Input, Order, Description.Training, TimeProvider.System, threads: 3);
        for (var step = 127L; step < 131; step++)
        {
            for (var shard = 0; shard < 8; shard++)
                Same(step, shard, await batches.GetAsync(step, shard, CancellationToken.None));
        }
    }

    [Fact]
    public async Task A_resumed_run_neither_repeats_nor_skips_a_sample()
    {
        var calm = await UsedAsync(1, 128);
        var resumed = new List<int>();
        foreach (var (first, end) in new[] { (1L, 10L), (11L, 11L), (12L, 100L), (101L, 128L) })
            resumed.AddRange(await UsedAsync(first, end));

        // One epoch: every sample once, in one order, however often the run was taken up, whatever had been read ahead.
        Assert.Equal(calm, resumed);
        Assert.Equal(Source.Train.Count, calm.Distinct().Count());

        static async Task<List<int>> UsedAsync(long first, long last)
        {
            var used = new List<int>();
            await using var batches = new ShardBatches(new NumberedSamples(Source.Train.Count), new InputShape(1, 1, 1), Order, Description.Training, TimeProvider.System, threads: 2);
            for (var step = first; step <= last; step++)
            {
                for (var shard = 0; shard < 8; shard++)
                {
                    var batch = await batches.GetAsync(step, shard, CancellationToken.None);
                    used.AddRange(batch.Images.ToArray().Select(value => (int)value));
                }
            }

            return used;
        }
    }

    [Fact]
    public async Task Large_shards_are_read_ahead_one_at_a_time()
    {
        var large = new InputShape(4096, 4096, 3);
        var counting = new CountingSamples(new NumberedSamples(Source.Train.Count));
        var training = Description.Training with { Batch = new BatchOptions { Global = 8, Shards = 8 } };
        await using var batches = new ShardBatches(counting, large, new SampleOrder(5, Source.Train.Count, 8), training, TimeProvider.System);
        await batches.GetAsync(1, 0, CancellationToken.None);
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (counting.Reads < 2)
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, limit.Token);
        await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, limit.Token);
        Assert.Equal(2, counting.Reads);
    }

    [Fact]
    public async Task Closing_ends_the_background_task_and_later_questions()
    {
        var batches = Open();
        await batches.GetAsync(1, 0, CancellationToken.None);
        await batches.DisposeAsync();
        await batches.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await batches.GetAsync(1, 1, CancellationToken.None));
    }

    private static ShardBatches Open() => new(Source.Train, Source.Input, Order, Description.Training, TimeProvider.System);

    private static void Same(long step, int shard, SampleBatch batch)
    {
        var elements = Source.Input.Elements;
        var expected = new float[elements];
        var indexes = Order.Samples(step, shard, 4);
        Assert.Equal(4, batch.Count);
        for (var i = 0; i < 4; i++)
        {
            Source.Train.Read(indexes[i], new SampleDraw(5, Order.Epoch(step)), expected);
            Assert.True(batch.Images.Span.Slice(i * elements, elements).SequenceEqual(expected), $"step {step}, shard {shard}, sample {i}");
            Assert.Equal(Source.Train.Label(indexes[i]), batch.Labels.Span[i]);
        }
    }

    /// <summary>Samples that show their index.</summary>
    private sealed class NumberedSamples(int count) : ISampleSet
    {
        public int Count => count;

        public int Label(int index) => index % 10;

        public void Read(int index, SampleDraw? augmentation, Span<float> destination) => destination[0] = index;
    }

    private sealed class CountingSamples(ISampleSet samples) : ISampleSet
    {
        private int reads;

        public int FailsAfter { get; init; } = int.MaxValue;

        public int Reads => Volatile.Read(ref reads);

        public int Count => samples.Count;

        public int Label(int index) => samples.Label(index);

        public void Read(int index, SampleDraw? augmentation, Span<float> destination)
        {
            if (Interlocked.Increment(ref reads) > FailsAfter)
                throw new DataException("sample is damaged");
            samples.Read(index, augmentation, destination);
        }
    }
}
