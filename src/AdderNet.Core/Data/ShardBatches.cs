using AdderNet.Core.Configuration;
using AdderNet.Core.Engine;

namespace AdderNet.Core.Data;

/// <summary>
/// The samples of each shard of each step, read ahead by threads of their own in the order in which they are being asked
/// for: shards left to right, then the next step from the first shard again. The range of shards is learnt from the
/// questions, so a change of ranges costs one wait. What is read ahead is bounded, in shards and in memory. A batch is valid
/// until a batch of another step is asked for. Ask from one thread at a time.
/// </summary>
public sealed class ShardBatches : IShardBatches, IAsyncDisposable
{
    private const int DefaultReadAhead = 4;
    private const long MostBytesAhead = 256L << 20;
    private readonly SampleReaders readers;
    private readonly SampleOrder order;
    private readonly ShardCursor cursor;
    private readonly long seed;
    private readonly int shardSize;
    private readonly int elements;
    private readonly int readAhead;
    private readonly TimeProvider time;
    private readonly Lock gate = new();
    private readonly Queue<Reading> ahead = new();
    private readonly Stack<Buffer> spare = new();
    private readonly List<Buffer> handedOut = [];
    private readonly SemaphoreSlim asked = new(0);
    private readonly CancellationTokenSource stop = new();
    private readonly Task reader;
    private long handedOutStep;
    private long waitedTicks;

    /// <param name="samples">Training samples.</param>
    /// <param name="input">Shape of one sample.</param>
    /// <param name="order">Which sample is used when.</param>
    /// <param name="training">Batch and seed.</param>
    /// <param name="time">Measures <see cref="Waited"/>.</param>
    /// <param name="readAhead">Shards read before they are asked for, at most; fewer, but one, where they would take more than 256 MB.</param>
    /// <param name="threads">Threads that decode, at least 1; they change no bit.</param>
    public ShardBatches(
        ISampleSet samples, InputShape input, SampleOrder order, TrainingOptions training, TimeProvider time, int readAhead = DefaultReadAhead, int threads = 1)
    {
        (this.order, seed, shardSize, elements) = (order, training.Seed, training.Batch.ShardSize, input.Elements);
        (this.time, this.readAhead) = (time, (int)Math.Clamp(MostBytesAhead / ((long)sizeof(float) * shardSize * elements), 1, readAhead));
        readers = new SampleReaders(samples, input, threads);
        cursor = new ShardCursor(training.Batch.Shards);
        // A thread of its own: one of the pool's would be missed by whoever waits for the network.
        reader = Task.Factory.StartNew(ReadAhead, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>How long askers have waited for samples, all together.</summary>
    public TimeSpan Waited => TimeSpan.FromTicks(Interlocked.Read(ref waitedTicks));

    /// <inheritdoc/>
    /// <exception cref="DataException">A sample cannot be read.</exception>
    public async ValueTask<SampleBatch> GetAsync(long step, int shard, CancellationToken cancellation)
    {
        var began = time.GetTimestamp();
        ObjectDisposedException.ThrowIf(stop.IsCancellationRequested, this);
        Reading? reading;
        lock (gate)
        {
            RecycleBefore(step);
            reading = Find(step, shard);
            cursor.Asked(step, shard, wasExpected: reading is not null);
        }

        asked.Release();
        var buffer = reading is null ? Read(step, shard) : await reading.Done.Task.WaitAsync(cancellation).ConfigureAwait(false);
        lock (gate)
            handedOut.Add(buffer);
        Interlocked.Add(ref waitedTicks, time.GetElapsedTime(began).Ticks);
        return new SampleBatch(buffer.Images, buffer.Labels, shardSize);
    }

    /// <summary>Ends the background task and waits for it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (stop.IsCancellationRequested)
            return;
        await stop.CancelAsync().ConfigureAwait(false);
        try
        {
            await reader.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The way in which it ends.
        }

        lock (gate)
        {
            while (ahead.TryDequeue(out var reading))
                reading.Done.TrySetCanceled();
        }

        readers.Dispose();
        asked.Dispose();
        stop.Dispose();
    }

    private void ReadAhead()
    {
        while (true)
        {
            asked.Wait(stop.Token);
            while (!stop.IsCancellationRequested && BeginNext() is { } reading)
                Complete(reading);
        }
    }

    private Reading? BeginNext()
    {
        lock (gate)
        {
            if (ahead.Count >= readAhead || cursor.Next() is not { } next)
                return null;
            var reading = new Reading(next.Step, next.Shard);
            ahead.Enqueue(reading);
            return reading;
        }
    }

    private void Complete(Reading reading)
    {
        try
        {
            var buffer = Read(reading.Step, reading.Shard);
            lock (gate)
            {
                if (reading.Dropped)
                    spare.Push(buffer);
                reading.Done.TrySetResult(buffer);
            }
        }
        catch (Exception e)
        {
            // Told to whoever asks for this shard; looked at here so that one nobody asks for is not an unobserved fault.
            reading.Done.TrySetException(e);
            _ = reading.Done.Task.Exception;
        }
    }

    private Buffer Read(long step, int shard)
    {
        Buffer? buffer;
        lock (gate)
            spare.TryPop(out buffer);
        buffer ??= new Buffer(new float[shardSize * elements], new int[shardSize]);
        var draw = new SampleDraw(seed, order.Epoch(step));
        var indexes = order.Samples(step, shard, shardSize).ToArray();
        readers.Read(shardSize, i => indexes[i], draw, buffer.Images, buffer.Labels);
        return buffer;
    }

    /// <summary>Takes the reading out of the queue with all before it; empties the queue when it is not in there.</summary>
    private Reading? Find(long step, int shard)
    {
        while (ahead.TryDequeue(out var reading))
        {
            if (reading.Step == step && reading.Shard == shard)
                return reading;
            reading.Dropped = true;
            if (reading.Done.Task.IsCompletedSuccessfully)
                spare.Push(reading.Done.Task.Result);
        }

        return null;
    }

    private void RecycleBefore(long step)
    {
        if (step == handedOutStep)
            return;
        handedOutStep = step;
        handedOut.ForEach(spare.Push);
        handedOut.Clear();
    }

    private sealed record Buffer(float[] Images, int[] Labels);

    private sealed class Reading(long step, int shard)
    {
        public long Step => step;

        public int Shard => shard;

        /// <summary>Nobody will ask for it any more. Guarded by the gate.</summary>
        public bool Dropped { get; set; }

        public TaskCompletionSource<Buffer> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
