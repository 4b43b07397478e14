using AdderNet.Core.Engine;

namespace AdderNet.Core.Data;

/// <summary>
/// A sample set cut into fixed blocks of consecutive samples, the unit in which evaluation is split among workers and its
/// loss is summed. The last block may be shorter. One caller at a time.
/// </summary>
public sealed class EvaluationBlocks : IDisposable
{
    /// <summary>Samples of a block. It fixes an order of summation, so it belongs to the numerics version.</summary>
    public const int DefaultBlockSize = 64;

    private readonly SampleReaders readers;
    private readonly int samples;
    private readonly int blockSize;
    private readonly int elements;

    // The second one is filled while the first is used.
    private readonly (float[] Images, int[] Labels)[] buffers = new (float[], int[])[2];

    /// <param name="samples">The test set.</param>
    /// <param name="input">Shape of one sample.</param>
    /// <param name="blockSize">Samples of a block.</param>
    /// <param name="threads">Threads that decode, at least 1; they change no bit.</param>
    public EvaluationBlocks(ISampleSet samples, InputShape input, int blockSize = DefaultBlockSize, int threads = 1)
    {
        (this.samples, this.blockSize, elements) = (samples.Count, blockSize, input.Elements);
        readers = new SampleReaders(samples, input, threads);
        Count = CountBlocks(samples.Count, blockSize);
    }

    /// <summary>Number of blocks.</summary>
    public int Count { get; }

    /// <summary>Number of blocks of a set, the last one perhaps shorter.</summary>
    internal static int CountBlocks(int samples, int blockSize = DefaultBlockSize) => (int)(((long)samples + blockSize - 1) / blockSize);

    /// <summary>The samples of one block, valid until the next call.</summary>
    /// <param name="block">From 0 to <see cref="Count"/> - 1.</param>
    /// <exception cref="DataException">A sample cannot be read.</exception>
    public SampleBatch Read(int block) => Fill(block, 0);

    /// <summary>The samples of consecutive blocks; while one is used the next is read. Each is valid until the next is taken.</summary>
    /// <param name="first">First block.</param>
    /// <param name="end">One past the last.</param>
    /// <exception cref="DataException">A sample cannot be read.</exception>
    public IEnumerable<SampleBatch> Read(int first, int end)
    {
        Task<SampleBatch>? next = null;
        try
        {
            for (var block = first; block < end; block++)
            {
                var batch = next is null ? Fill(block, block & 1) : next.GetAwaiter().GetResult();
                next = block + 1 < end ? Begin(block + 1) : null;
                yield return batch;
            }
        }
        finally
        {
            // Left before its end: what is still being read must not outlive this.
            next?.ContinueWith(static read => _ = read.Exception, TaskScheduler.Default).Wait();
        }

        Task<SampleBatch> Begin(int block) => Task.Factory.StartNew(
            () => Fill(block, block & 1), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Ends the threads.</summary>
    public void Dispose() => readers.Dispose();

    private SampleBatch Fill(int block, int buffer)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)block, (uint)Count, nameof(block));
        var first = block * blockSize;
        var count = Math.Min(blockSize, samples - first);
        if (buffers[buffer].Images is null)
            buffers[buffer] = (new float[blockSize * elements], new int[blockSize]);
        var (images, labels) = buffers[buffer];
        readers.Read(count, i => first + i, null, images, labels);
        return new SampleBatch(images.AsMemory(0, count * elements), labels.AsMemory(0, count), count);
    }
}
