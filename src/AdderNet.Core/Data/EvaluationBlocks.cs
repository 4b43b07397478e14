using AdderNet.Core.Engine;

namespace AdderNet.Core.Data;

/// <summary>
/// A sample set cut into fixed blocks of consecutive samples, the unit in which evaluation is split among workers and its
/// loss is summed. The last block may be shorter. One caller at a time.
/// </summary>
public sealed class EvaluationBlocks
{
    /// <summary>Samples of a block. It fixes an order of summation, so it belongs to the numerics version.</summary>
    public const int DefaultBlockSize = 64;

    private readonly ISampleSet samples;
    private readonly int blockSize;
    private readonly int elements;
    private readonly float[] images;
    private readonly int[] labels;

    /// <param name="samples">The test set.</param>
    /// <param name="input">Shape of one sample.</param>
    /// <param name="blockSize">Samples of a block.</param>
    public EvaluationBlocks(ISampleSet samples, InputShape input, int blockSize = DefaultBlockSize)
    {
        (this.samples, this.blockSize, elements) = (samples, blockSize, input.Elements);
        Count = CountBlocks(samples.Count, blockSize);
        images = new float[blockSize * elements];
        labels = new int[blockSize];
    }

    /// <summary>Number of blocks.</summary>
    public int Count { get; }

    /// <summary>Number of blocks of a set, the last one perhaps shorter.</summary>
    internal static int CountBlocks(int samples, int blockSize = DefaultBlockSize) => (int)(((long)samples + blockSize - 1) / blockSize);

    /// <summary>The samples of one block, valid until the next call.</summary>
    /// <param name="block">From 0 to <see cref="Count"/> - 1.</param>
    /// <exception cref="DataException">A sample cannot be read.</exception>
    public SampleBatch Read(int block)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)block, (uint)Count, nameof(block));
        var first = block * blockSize;
        var count = Math.Min(blockSize, samples.Count - first);
        for (var i = 0; i < count; i++)
        {
            samples.Read(first + i, null, images.AsSpan(i * elements, elements));
            labels[i] = samples.Label(first + i);
        }

        return new SampleBatch(images.AsMemory(0, count * elements), labels.AsMemory(0, count), count);
    }
}
