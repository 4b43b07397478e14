using AdderNet.Core.Kernels;

namespace AdderNet.Core.Layers.Quantization;

/// <summary><see cref="Binarization"/> over whole buffers, on as many threads as pay.</summary>
internal static class BinaryPasses
{
    /// <summary>Elements that are worth a thread.</summary>
    public const int ThreadElements = 32 * 1024;

    /// <summary>+1 where a value is at least 0, else -1.</summary>
    public static void Signs(ReadOnlyMemory<float> values, float[] signs, int length, ComputeThreads threads) =>
        threads.Split(length, new SignJob(values, signs), ThreadElements);

    /// <summary>1 where a value is above <see cref="Binarization.Level"/>, else 0.</summary>
    public static void Levels(ReadOnlyMemory<float> values, float[] levels, int length, ComputeThreads threads) =>
        threads.Split(length, new LevelJob(values, levels), ThreadElements);

    /// <summary>values = factor * values.</summary>
    public static void Scale(Memory<float> values, float factor, int length, ComputeThreads threads) =>
        threads.Split(length, new ScaleJob(values, factor), ThreadElements);

    /// <summary>Closes a gradient where x lies outside [low, high], and scales it.</summary>
    public static void PassInside(Memory<float> g, ReadOnlyMemory<float> x, float low, float high, float factor, int length, ComputeThreads threads) =>
        threads.Split(length, new PassJob(g, x, low, high, factor), ThreadElements);

    /// <summary>Mean absolute value of each row.</summary>
    public static void MeanMagnitudes(ReadOnlyMemory<float> values, int rowLength, double[] means, int rows, ComputeThreads threads) =>
        threads.Split(rows, new MagnitudeJob(values, rowLength, means), 1 + ThreadElements / rowLength);

    /// <summary>y[p,t] = y[p,t] * rows[p] * columns[t].</summary>
    public static void ScaleRows(Memory<float> y, float[] rows, float[] columns, in ConvolutionShape shape, ComputeThreads threads) =>
        threads.Split(shape.Positions, new RowJob(y, rows, columns, shape.T), 1 + ThreadElements / shape.T);

    /// <summary>scaled[p,t] = g[p,t] * rows[p].</summary>
    public static void ScaleGradient(ReadOnlyMemory<float> g, float[] rows, float[] scaled, in ConvolutionShape shape, ComputeThreads threads) =>
        threads.Split(shape.Positions, new GradientJob(g, rows, scaled, shape.T), 1 + ThreadElements / shape.T);

    private readonly struct SignJob(ReadOnlyMemory<float> values, float[] signs) : ISplitJob
    {
        public void Run(int first, int end) => Binarization.Signs(values.Span[first..end], signs.AsSpan(first, end - first));
    }

    private readonly struct LevelJob(ReadOnlyMemory<float> values, float[] levels) : ISplitJob
    {
        public void Run(int first, int end) => Binarization.Levels(values.Span[first..end], levels.AsSpan(first, end - first));
    }

    private readonly struct ScaleJob(Memory<float> values, float factor) : ISplitJob
    {
        public void Run(int first, int end) => Binarization.Scale(values.Span[first..end], factor);
    }

    private readonly struct PassJob(Memory<float> g, ReadOnlyMemory<float> x, float low, float high, float factor) : ISplitJob
    {
        public void Run(int first, int end) =>
            Binarization.PassInside(g.Span[first..end], x.Span[first..end], low, high, factor);
    }

    private readonly struct MagnitudeJob(ReadOnlyMemory<float> values, int rowLength, double[] means) : ISplitJob
    {
        public void Run(int first, int end)
        {
            for (var row = first; row < end; row++)
                means[row] = Binarization.MeanMagnitude(values.Span.Slice(row * rowLength, rowLength));
        }
    }

    private readonly struct RowJob(Memory<float> y, float[] rows, float[] columns, int length) : ISplitJob
    {
        public void Run(int first, int end)
        {
            for (var p = first; p < end; p++)
            {
                var row = y.Span.Slice(p * length, length);
                for (var t = 0; t < row.Length; t++)
                    row[t] = row[t] * rows[p] * columns[t];
            }
        }
    }

    private readonly struct GradientJob(ReadOnlyMemory<float> g, float[] rows, float[] scaled, int length) : ISplitJob
    {
        public void Run(int first, int end)
        {
            var gradient = g.Span;
            for (var p = first; p < end; p++)
            {
                for (var i = p * length; i < (p + 1) * length; i++)
                    scaled[i] = gradient[i] * rows[p];
            }
        }
    }
}
