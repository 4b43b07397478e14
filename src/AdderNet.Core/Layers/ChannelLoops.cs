using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using AdderNet.Core.Kernels;

namespace AdderNet.Core.Layers;

/// <summary>A term of a sum over positions, in double.</summary>
internal interface IChannelTerm
{
    static abstract Vector256<double> Of(Vector256<double> x, Vector256<double> g, Vector256<double> mean);

    static abstract double Of(double x, double g, double mean);
}

/// <summary>
/// Sums and maps over [positions, channels] in double, with a value per channel. Several rows form a group whose length is
/// a multiple of 8, so that vectors fit any number of channels. Order of a sum (numerics version): lane by lane over the
/// groups of a block, block after block, then the rows that fill no group, then over the lanes of a channel.
/// </summary>
/// <remarks>Loops are compiled optimised at once: in their first, unoptimised form vectors run some 20 times slower.</remarks>
internal sealed class ChannelLoops
{
    private const int BlockGroups = 256;
    private const int Width = 8;
    private readonly int channels;
    private readonly int lanes;
    private readonly ComputeThreads threads;
    private double[] partials = [];

    public ChannelLoops(int channels, ComputeThreads threads)
    {
        this.channels = channels;
        this.threads = threads;
        lanes = channels;
        while (lanes % Width != 0)
            lanes += channels;
    }

    /// <summary>Repeats a value per channel over a group's lanes.</summary>
    public double[] Spread(Func<int, double> value)
    {
        var spread = new double[lanes];
        for (var i = 0; i < lanes; i++)
            spread[i] = value(i % channels);
        return spread;
    }

    /// <summary>sums[c] = sum over positions of a term.</summary>
    /// <param name="x">First operand.</param>
    /// <param name="g">Second operand, as long; the first again where the term has none.</param>
    /// <param name="mean">Spread over the lanes.</param>
    /// <param name="length">Elements, positions times channels.</param>
    /// <param name="sums">One a channel.</param>
    public void Sum<TTerm>(float[] x, float[] g, double[] mean, int length, Span<double> sums)
        where TTerm : IChannelTerm
    {
        var groups = length / lanes;
        var blocks = (groups + BlockGroups - 1) / BlockGroups;
        if (partials.Length < blocks * lanes)
            partials = new double[blocks * lanes];
        var parts = partials;
        threads.Split(blocks, (first, end) =>
        {
            for (var block = first; block < end; block++)
            {
                var from = block * BlockGroups;
                SumBlock<TTerm>(x, g, mean, from, Math.Min(from + BlockGroups, groups), parts.AsSpan(block * lanes, lanes));
            }
        });

        sums.Clear();
        for (var lane = 0; lane < lanes; lane++)
        {
            var sum = 0.0;
            for (var block = 0; block < blocks; block++)
                sum += parts[block * lanes + lane];
            var rest = groups * lanes + lane;
            if (rest < length)
                sum += TTerm.Of(x[rest], g[rest], mean[lane]);
            sums[lane % channels] += sum;
        }
    }

    /// <summary>y = (x - mean) * scale + shift, rounded once.</summary>
    public void Affine(float[] x, float[] y, double[] mean, double[] scale, double[] shift, int length) =>
        threads.Split((length + lanes - 1) / lanes, [MethodImpl(MethodImplOptions.AggressiveOptimization)] (first, end) =>
        {
            for (var start = first * lanes; start < Math.Min(end * lanes, length); start += lanes)
            {
                var i = 0;
                for (; i < lanes && start + i + Width <= length; i += Width)
                {
                    var (low, high) = Vector256.Widen(Load(x, start + i));
                    low = (low - Load(mean, i)) * Load(scale, i) + Load(shift, i);
                    high = (high - Load(mean, i + 4)) * Load(scale, i + 4) + Load(shift, i + 4);
                    Vector256.Narrow(low, high).CopyTo(y, start + i);
                }

                for (; i < lanes && start + i < length; i++)
                    y[start + i] = (float)((x[start + i] - mean[i]) * scale[i] + shift[i]);
            }
        });

    /// <summary>g = scale * (g - average - (x - mean) * slope), rounded once.</summary>
    public void Center(float[] x, float[] g, double[] mean, double[] scale, double[] average, double[] slope, int length) =>
        threads.Split((length + lanes - 1) / lanes, [MethodImpl(MethodImplOptions.AggressiveOptimization)] (first, end) =>
        {
            for (var start = first * lanes; start < Math.Min(end * lanes, length); start += lanes)
            {
                var i = 0;
                for (; i < lanes && start + i + Width <= length; i += Width)
                {
                    var (low, high) = Vector256.Widen(Load(x, start + i));
                    var (lowG, highG) = Vector256.Widen(Load(g, start + i));
                    low = Load(scale, i) * (lowG - Load(average, i) - (low - Load(mean, i)) * Load(slope, i));
                    high = Load(scale, i + 4) * (highG - Load(average, i + 4) - (high - Load(mean, i + 4)) * Load(slope, i + 4));
                    Vector256.Narrow(low, high).CopyTo(g, start + i);
                }

                for (; i < lanes && start + i < length; i++)
                    g[start + i] = (float)(scale[i] * (g[start + i] - average[i] - (x[start + i] - mean[i]) * slope[i]));
            }
        });

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void SumBlock<TTerm>(float[] x, float[] g, double[] mean, int first, int end, Span<double> sums)
        where TTerm : IChannelTerm
    {
        for (var lane = 0; lane < lanes; lane += Width)
        {
            var (low, high) = (Vector256<double>.Zero, Vector256<double>.Zero);
            var (lowMean, highMean) = (Load(mean, lane), Load(mean, lane + 4));
            for (var group = first; group < end; group++)
            {
                var (lowX, highX) = Vector256.Widen(Load(x, group * lanes + lane));
                var (lowG, highG) = Vector256.Widen(Load(g, group * lanes + lane));
                low += TTerm.Of(lowX, lowG, lowMean);
                high += TTerm.Of(highX, highG, highMean);
            }

            low.CopyTo(sums[lane..]);
            high.CopyTo(sums[(lane + 4)..]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<T> Load<T>(T[] values, int index) => Vector256.LoadUnsafe(ref MemoryMarshal.GetArrayDataReference(values), (nuint)index);
}
