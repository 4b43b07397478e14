using AdderNet.Core.Kernels;

namespace AdderNet.Core.Layers;

/// <summary><see cref="ElementLoops"/> over whole maps, on as many threads as pay.</summary>
internal static class ElementPasses
{
    /// <summary>Elements that are worth a thread.</summary>
    private const int ThreadElements = 32 * 1024;

    /// <summary>y = max(x, 0).</summary>
    public static void Relu(ReadOnlyMemory<float> x, Memory<float> y, int length, ComputeThreads threads) => threads.Split(length, new ReluJob(x, y), ThreadElements);

    /// <summary>g = g where y is above 0, else 0.</summary>
    public static void ReluGradient(ReadOnlyMemory<float> y, Memory<float> g, int length, ComputeThreads threads) => threads.Split(length, new ReluGradientJob(y, g), ThreadElements);

    /// <summary>sum = a + b.</summary>
    public static void Add(ReadOnlyMemory<float> a, ReadOnlyMemory<float> b, Memory<float> sum, int length, ComputeThreads threads) => threads.Split(length, new AddJob(a, b, sum), ThreadElements);

    /// <summary>to = from.</summary>
    public static void Copy(ReadOnlyMemory<float> from, Memory<float> to, int length, ComputeThreads threads) => threads.Split(length, new CopyJob(from, to), ThreadElements);

    /// <summary>Whether no element of [offset, offset + length) is infinite or a NaN.</summary>
    public static unsafe bool AllFinite(ReadOnlyMemory<float> values, int offset, int length, ComputeThreads threads)
    {
        var found = 0;
        threads.Split(length, new SearchJob(values, offset, &found), ThreadElements);
        return found == 0;
    }

    private readonly struct ReluJob(ReadOnlyMemory<float> x, Memory<float> y) : ISplitJob
    {
        public void Run(int first, int end) => ElementLoops.Relu(x.Span[first..end], y.Span[first..end]);
    }

    private readonly struct ReluGradientJob(ReadOnlyMemory<float> y, Memory<float> g) : ISplitJob
    {
        public void Run(int first, int end) => ElementLoops.ReluGradient(y.Span[first..end], g.Span[first..end]);
    }

    private readonly struct AddJob(ReadOnlyMemory<float> a, ReadOnlyMemory<float> b, Memory<float> sum) : ISplitJob
    {
        public void Run(int first, int end) =>
            ElementLoops.Add(a.Span[first..end], b.Span[first..end], sum.Span[first..end]);
    }

    private readonly struct CopyJob(ReadOnlyMemory<float> from, Memory<float> to) : ISplitJob
    {
        public void Run(int first, int end) => from.Span[first..end].CopyTo(to.Span[first..end]);
    }

    private readonly unsafe struct SearchJob(ReadOnlyMemory<float> values, int offset, int* found) : ISplitJob
    {
        public void Run(int first, int end)
        {
            if (!ElementLoops.AllFinite(values.Span.Slice(offset + first, end - first)))
                Volatile.Write(ref *found, 1);
        }
    }
}
