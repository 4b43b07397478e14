using AdderNet.Core.Kernels;

namespace AdderNet.Core.Data;

/// <summary>
/// The threads that decode samples. They stand beside the compute threads and never touch a result: each sample is read
/// whole by one of them. Groups are read one after another, whoever asks.
/// </summary>
internal sealed class SampleReaders : IDisposable
{
    private readonly ISampleSet samples;
    private readonly int elements;
    private readonly ComputeThreads threads;
    private readonly Lock turn = new();
    private int next;

    /// <param name="samples">Where samples come from.</param>
    /// <param name="input">Shape of one.</param>
    /// <param name="count">Threads, the calling one included.</param>
    public SampleReaders(ISampleSet samples, InputShape input, int count)
    {
        (this.samples, elements) = (samples, input.Elements);
        threads = new ComputeThreads(count);
    }

    /// <summary>Reads a group of samples.</summary>
    /// <param name="count">Samples of the group.</param>
    /// <param name="index">Which sample stands in a place of the group.</param>
    /// <param name="draw">Keys the random changes; null for none.</param>
    /// <param name="images">Receives the samples one after another.</param>
    /// <param name="labels">Receives their classes.</param>
    /// <exception cref="DataException">A sample cannot be read.</exception>
    public void Read(int count, Func<int, int> index, SampleDraw? draw, float[] images, int[] labels)
    {
        lock (turn)
        {
            next = -1;
            threads.Split(Math.Min(threads.Count, count), new ReadJob(this, count, index, draw, images, labels));
        }
    }

    /// <summary>Ends the threads.</summary>
    public void Dispose() => threads.Dispose();

    /// <summary>Each thread takes the next sample that nobody has: pictures take very different times.</summary>
    private readonly struct ReadJob(SampleReaders readers, int count, Func<int, int> index, SampleDraw? draw, float[] images, int[] labels) : ISplitJob
    {
        public void Run(int first, int end)
        {
            for (int i; (i = Interlocked.Increment(ref readers.next)) < count;)
            {
                var sample = index(i);
                readers.samples.Read(sample, draw, images.AsSpan(i * readers.elements, readers.elements));
                labels[i] = readers.samples.Label(sample);
            }
        }
    }
}
