using AdderNet.Core.Kernels;

namespace AdderNet.Core.Layers;

/// <summary><see cref="ElementLoops"/> over whole maps, on as many threads as pay.</summary>
internal static class ElementPasses
{
    /// <summary>Elements that are worth a thread.</summary>
    private const int ThreadElements = 32 * 1024;

    /// <summary>y = max(x, 0).</summary>
    public static void Relu(float[] x, float[] y, int length, ComputeThreads threads) => threads.Split(length, new ReluJob(x, y), ThreadElements);

    /// <summary>g = g where y is above 0, else 0.</summary>
    public static void ReluGradient(float[] y, float[] g, int length, ComputeThreads threads) => threads.Split(length, new ReluGradientJob(y, g), ThreadElements);

    /// <summary>sum = a + b.</summary>
    public static void Add(float[] a, float[] b, float[] sum, int length, ComputeThreads threads) => threads.Split(length, new AddJob(a, b, sum), ThreadElements);

    /// <summary>to = from.</summary>
    public static void Copy(float[] from, float[] to, int length, ComputeThreads threads) => threads.Split(length, new CopyJob(from, to), ThreadElements);

    /// <summary>Whether no element of [offset, offset + length) is infinite or a NaN.</summary>
    public static unsafe bool AllFinite(float[] values, int offset, int length, ComputeThreads threads)
    {
        var found = 0;
        threads.Split(length, new SearchJob(values, offset, &found), ThreadElements);
        return found == 0;
    }

    private readonly struct ReluJob(float[] x, float[] y) : ISplitJob
    {
        public void Run(int first, int end) => ElementLoops.Relu(x.AsSpan(first, end - first), y.AsSpan(first, end - first));
    }

    private readonly struct ReluGradientJob(float[] y, float[] g) : ISplitJob
    {
        public void Run(int first, int end) => ElementLoops.ReluGradient(y.AsSpan(first, end - first), g.AsSpan(first, end - first));
    }

    private readonly struct AddJob(float[] a, float[] b, float[] sum) : ISplitJob
    {
        public void Run(int first, int end) =>
            ElementLoops.Add(a.AsSpan(first, end - first), b.AsSpan(first, end - first), sum.AsSpan(first, end - first));
    }

    private readonly struct CopyJob(float[] from, float[] to) : ISplitJob
    {
        public void Run(int first, int end) => from.AsSpan(first, end - first).CopyTo(to.AsSpan(first, end - first));
    }

    private readonly unsafe struct SearchJob(float[] values, int offset, int* found) : ISplitJob
    {
        public void Run(int first, int end)
        {
            if (!ElementLoops.AllFinite(values.AsSpan(offset + first, end - first)))
                Volatile.Write(ref *found, 1);
        }
    }
}
