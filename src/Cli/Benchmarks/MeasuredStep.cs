using AdderNet.Core.Configuration;
using AdderNet.Core.Engine;
using AdderNet.Core.Kernels;
using AdderNet.Core.Numerics;
using AdderNet.Core.Sharding;

namespace AdderNet.Cli.Benchmarks;

/// <summary>A replica that takes one step after another on the same drawn images, as a worker that is alone would.</summary>
internal sealed class MeasuredStep : IShardBatches, IDisposable
{
    private static readonly ShardRange Shards = new(0, 1);

    /// <summary>Elements that an exchange reduces at a time.</summary>
    private static readonly int BucketLength = (int)(new ExchangeOptions().BucketMegabytes * 1024 * 1024 / sizeof(float));
    private readonly ManagedReplica replica;
    private readonly TreeCombiner[] buckets;
    private readonly LocalMomentMerge moments = new(1);
    private readonly SampleBatch batch;
    private readonly float[] mean;

    /// <param name="measured">What to run.</param>
    /// <param name="clock">The time.</param>
    /// <param name="kernels">The convolution passes.</param>
    public MeasuredStep(StepCase measured, TimeProvider clock, IConvolutionKernels kernels)
    {
        Clock = new StepClock(new CoreTime(clock));
        var training = new TrainingOptions
        {
            Batch = new BatchOptions { Global = measured.Batch, Shards = 1 },
            Schedule = new ScheduleOptions { Kind = ScheduleKind.Constant, Epochs = 1 },
        };
        replica = ManagedReplica.Create(measured.Model, training, stepsPerEpoch: 1, measured.Threads, clock, Clock, kernels);
        mean = new float[replica.Layout.ReductionLength];
        buckets = [.. Enumerable.Range(0, (mean.Length + BucketLength - 1) / BucketLength)
            .Select(i => new TreeCombiner(1, Math.Min(BucketLength, mean.Length - i * BucketLength)))];
        batch = Draw(measured);
    }

    /// <summary>The time of each part.</summary>
    public StepClock Clock { get; }

    /// <summary>Takes a step.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        Reduce(await replica.ComputeAsync(Shards, this, moments, static () => { }, early: null, cancellation).ConfigureAwait(false));
        replica.Apply(mean, skip: false);
    }

    /// <summary>Takes two steps.</summary>
    /// <returns>Bytes that the compute threads allocated from the first layer of the first to that of the second, and the update between them.</returns>
    public async Task<long> CountAllocatedAsync(CancellationToken cancellation)
    {
        var (readings, first) = (new long[2], 0L);
        var reading = 0;
        for (var i = 0; i < readings.Length; i++)
        {
            (reading, first) = (i, 0);
            Reduce(await replica.ComputeAsync(Shards, this, moments, Progress, early: null, cancellation).ConfigureAwait(false));
            var before = GC.GetAllocatedBytesForCurrentThread();
            replica.Apply(mean, skip: false);
            readings[0] -= i == 0 ? GC.GetAllocatedBytesForCurrentThread() - before : 0;
        }

        return readings[1] - readings[0];

        void Progress()
        {
            if (first++ == 0)
                readings[reading] += replica.Threads.AllocatedBytes();
        }
    }

    /// <inheritdoc/>
    public ValueTask<SampleBatch> GetAsync(long step, int shard, CancellationToken cancellation) => ValueTask.FromResult(batch);

    /// <inheritdoc/>
    public void Dispose() => replica.Dispose();

    private void Reduce(IReadOnlyList<SubtreeSum> sums)
    {
        Clock.Skip();
        for (var i = 0; i < buckets.Length; i++)
        {
            var bucket = mean.AsSpan(i * BucketLength, Math.Min(BucketLength, mean.Length - i * BucketLength));
            buckets[i].Reset();
            buckets[i].Add(sums[0].Node, sums[0].Sum.Span.Slice(i * BucketLength, bucket.Length), sums[0].Counts);
            buckets[i].Finish(bucket);
        }

        ReducedStep.Create(mean, sums[0].Counts);
        Clock.Charge(StepPart.Exchange);
    }

    private static SampleBatch Draw(StepCase measured)
    {
        var draws = new Philox(seed: 1, DrawPurpose.SyntheticData);
        var images = new float[measured.Batch * measured.Model.Input.Elements];
        for (var i = 0; i < images.Length; i++)
            images[i] = (float)draws.NextNormal();
        var labels = new int[measured.Batch];
        for (var i = 0; i < labels.Length; i++)
            labels[i] = draws.NextBelow(measured.Model.Classes);
        return new SampleBatch(images, labels, measured.Batch);
    }
}
