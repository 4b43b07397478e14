using System.Runtime.Intrinsics;
using AdderNet.Core.Engine;
using AdderNet.Core.Models;

namespace AdderNet.Core.Layers;

/// <summary>
/// Batch normalisation as PyTorch defines it (eps 1e-5; the biased variance normalises, the unbiased one enters the running
/// variance), in steps between which shards may meet: moments, normalise; gradient sums, input gradient. Arithmetic is in
/// double over float32 samples. Running statistics change only at apply.
/// </summary>
internal sealed class BatchNormLayer(
    int index, BatchNormNode node, TensorSlot scale, TensorSlot shift, TensorSlot runningMean, TensorSlot runningVariance, LayerContext context)
    : Layer(index, context)
{
    private const double Epsilon = 1e-5;
    private readonly ChannelLoops loops = new(node.Out.Channels, context.Threads);

    public override bool CanOverflow => true;

    private int Channels => node.Out.Channels;

    /// <inheritdoc/>
    public override void Forward(ShardTape tape)
    {
        var statistics = Context.Statistics;
        Normalize(
            tape,
            c => statistics[runningMean.Offset + c],
            c => 1 / Math.Sqrt(statistics[runningVariance.Offset + c] + Epsilon));
    }

    /// <summary>The shard's moments: [n, mean per channel, sum of squared distances from the mean per channel].</summary>
    public double[] Moments(ShardTape tape)
    {
        var x = tape.Output(node.Input);
        var length = Length(tape);
        var moments = new double[1 + 2 * Channels];
        var mean = moments.AsSpan(1, Channels);
        var squares = moments.AsSpan(1 + Channels, Channels);
        var n = (double)tape.Samples * node.Out.Pixels;
        moments[0] = n;
        loops.Sum<Value>(x, x, loops.Spread(_ => 0), length, mean);
        for (var c = 0; c < Channels; c++)
            mean[c] /= n;
        loops.Sum<SquaredDistance>(x, x, loops.Spread(c => moments[1 + c]), length, squares);
        return moments;
    }

    /// <summary>Writes the output, and mean and unbiased variance into the statistics section of the reduction vector.</summary>
    /// <param name="tape">One shard.</param>
    /// <param name="moments">Over the shard, or over all shards.</param>
    public void Normalize(ShardTape tape, double[] moments)
    {
        var n = moments[0];
        var inverse = new double[Channels];
        var statistics = tape.Reduction.AsSpan(Context.Parameters.Length);
        for (var c = 0; c < Channels; c++)
        {
            var squares = moments[1 + Channels + c];
            inverse[c] = 1 / Math.Sqrt(squares / n + Epsilon);
            statistics[runningMean.Offset + c] = (float)moments[1 + c];
            statistics[runningVariance.Offset + c] = (float)(squares / (n - 1));
        }

        tape.Norms[Index] = new NormState(moments, inverse);
        Normalize(tape, c => moments[1 + c], c => inverse[c]);
    }

    /// <summary>The shard's [sum of dy, sum of dy * xhat], which are also the gradients of shift and scale.</summary>
    public double[] GradientSums(ShardTape tape)
    {
        var (x, g) = (tape.Output(node.Input), tape.OutputGradient(Index));
        var (moments, inverse) = tape.Norms[Index];
        var sums = new double[2 * Channels];
        var mean = loops.Spread(c => moments[1 + c]);
        loops.Sum<Gradient>(x, g, mean, Length(tape), sums.AsSpan(0, Channels));
        loops.Sum<GradientTimesDistance>(x, g, mean, Length(tape), sums.AsSpan(Channels, Channels));
        for (var c = 0; c < Channels; c++)
        {
            sums[Channels + c] *= inverse[c];
            tape.Reduction[shift.Offset + c] = (float)sums[c];
            tape.Reduction[scale.Offset + c] = (float)sums[Channels + c];
        }

        return sums;
    }

    /// <summary>Turns the output's gradient into the input's, in place: gamma * inverse * (dy - mean(dy) - xhat * mean(dy * xhat)).</summary>
    /// <param name="tape">One shard.</param>
    /// <param name="sums">Gradient sums over the samples that the moments were taken over.</param>
    public void InputGradient(ShardTape tape, double[] sums)
    {
        var (x, g) = (tape.Output(node.Input), tape.OutputGradient(Index));
        var (moments, inverse) = tape.Norms[Index];
        var n = moments[0];
        loops.Center(
            x,
            g,
            loops.Spread(c => moments[1 + c]),
            loops.Spread(c => Context.Parameters[scale.Offset + c] * inverse[c]),
            loops.Spread(c => sums[c] / n),
            loops.Spread(c => sums[Channels + c] * inverse[c] / n),
            Length(tape));
    }

    private void Normalize(ShardTape tape, Func<int, double> mean, Func<int, double> inverse) =>
        loops.Affine(
            tape.Output(node.Input),
            tape.Output(Index),
            loops.Spread(mean),
            loops.Spread(c => inverse(c) * Context.Parameters[scale.Offset + c]),
            loops.Spread(c => Context.Parameters[shift.Offset + c]),
            Length(tape));

    private int Length(ShardTape tape) => tape.Samples * node.Out.Elements;

    private readonly struct Value : IChannelTerm
    {
        public static Vector256<double> Of(Vector256<double> x, Vector256<double> g, Vector256<double> mean) => x;

        public static double Of(double x, double g, double mean) => x;
    }

    private readonly struct SquaredDistance : IChannelTerm
    {
        public static Vector256<double> Of(Vector256<double> x, Vector256<double> g, Vector256<double> mean) => (x - mean) * (x - mean);

        public static double Of(double x, double g, double mean) => (x - mean) * (x - mean);
    }

    private readonly struct Gradient : IChannelTerm
    {
        public static Vector256<double> Of(Vector256<double> x, Vector256<double> g, Vector256<double> mean) => g;

        public static double Of(double x, double g, double mean) => g;
    }

    private readonly struct GradientTimesDistance : IChannelTerm
    {
        public static Vector256<double> Of(Vector256<double> x, Vector256<double> g, Vector256<double> mean) => g * (x - mean);

        public static double Of(double x, double g, double mean) => g * (x - mean);
    }
}

/// <summary>What a batch norm normalised by: moments [n, mean, M2] and 1 / sqrt(variance + eps) per channel.</summary>
internal sealed record NormState(double[] Moments, double[] Inverse);
