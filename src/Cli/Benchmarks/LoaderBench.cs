using System.Runtime.InteropServices;
using System.Security.Cryptography;
using AdderNet.Core.Data;

namespace AdderNet.Cli.Benchmarks;

/// <summary>Speed of a part of the measurement.</summary>
/// <param name="Name">one_thread or all_threads.</param>
/// <param name="Threads">Threads that rendered samples.</param>
/// <param name="Images">Samples rendered.</param>
/// <param name="ImagesPerSecond">Samples a second; with one thread the median over stretches of 250.</param>
/// <param name="ImagesPerSecondPerCore">The same for each thread.</param>
internal sealed record LoaderRow(string Name, int Threads, int Images, double ImagesPerSecond, double ImagesPerSecondPerCore);

/// <summary>Resident memory of the process, in bytes.</summary>
/// <param name="AfterFirst">After the first thousand samples, or the last where there are fewer.</param>
/// <param name="AtEnd">After the last sample.</param>
/// <param name="Most">The most that was seen, looked at every 100 samples.</param>
internal sealed record LoaderMemory(long AfterFirst, long AtEnd, long Most);

/// <summary>Renders training samples as a run would, without training: reading, decoding, cropping, resampling, normalising.</summary>
/// <param name="samples">Training samples.</param>
/// <param name="elements">Values of a sample.</param>
/// <param name="clock">Gives the time.</param>
internal sealed class LoaderBench(ISampleSet samples, int elements, TimeProvider clock)
{
    private const long Seed = 1;
    private const int Stretch = 250;
    private const int Hashed = 64;
    private const int MemoryEvery = 100;
    private const int First = 1000;

    /// <summary>One thread over a number of samples, after some that are not counted.</summary>
    public LoaderRow MeasureOneThread(int images, CancellationToken cancellation)
    {
        var order = new SampleOrder(Seed, samples.Count, 1);
        var sample = new float[elements];
        var rates = new List<double>();
        Render(order, -Math.Min(images, Stretch), 0, sample, cancellation);
        for (var from = 0; from < images; from += Stretch)
        {
            var to = Math.Min(from + Stretch, images);
            var began = clock.GetTimestamp();
            Render(order, from, to, sample, cancellation);
            rates.Add((to - from) / clock.GetElapsedTime(began).TotalSeconds);
        }

        var rate = Timing.MedianOf(rates);
        return new LoaderRow("one_thread", 1, images, rate, rate);
    }

    /// <summary>Several threads over a number of samples, while the process's memory is watched.</summary>
    public (LoaderRow Row, LoaderMemory Memory) MeasureAllThreads(int images, int threads, CancellationToken cancellation)
    {
        var order = new SampleOrder(Seed, samples.Count, 1);
        var resident = new long[(images / MemoryEvery) + 1];
        var began = clock.GetTimestamp();
        var done = 0;
        Parallel.For(
            0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellation },
            thread =>
            {
                var sample = new float[elements];
                // Threads take samples in turn, as shards are read.
                for (var place = thread; place < images; place += threads)
                {
                    Render(order, place, place + 1, sample, cancellation);
                    var rendered = Interlocked.Increment(ref done);
                    if (rendered % MemoryEvery == 0 || rendered == images)
                        resident[rendered / MemoryEvery] = Environment.WorkingSet;
                }
            });
        var rate = images / clock.GetElapsedTime(began).TotalSeconds;
        return (
            new LoaderRow("all_threads", threads, images, rate, rate / threads),
            new LoaderMemory(resident[Math.Min(First, images) / MemoryEvery], resident[images / MemoryEvery], resident.Max()));
    }

    /// <summary>SHA-256 over the first 64 samples as evaluation and as the first epoch sees them: equal on every machine.</summary>
    public string HashPixels(CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var sample = new float[elements];
        for (var index = 0; index < Math.Min(Hashed, samples.Count); index++)
        {
            cancellation.ThrowIfCancellationRequested();
            foreach (var draw in new SampleDraw?[] { null, new SampleDraw(Seed, 0) })
            {
                samples.Read(index, draw, sample);
                hash.AppendData(MemoryMarshal.AsBytes<float>(sample));
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Renders the samples of places in the order of epochs; places below 0 are an epoch of their own.</summary>
    private void Render(SampleOrder order, int from, int to, float[] sample, CancellationToken cancellation)
    {
        for (var place = from; place < to; place++)
        {
            cancellation.ThrowIfCancellationRequested();
            var step = Math.Max(place, 0) + 1;
            samples.Read(order.Samples(step, 0, 1)[0], new SampleDraw(Seed, order.Epoch(step)), sample);
        }
    }
}
