using AdderNet.Core.Engine;
using AdderNet.Core.Layers.Normalization;
using AdderNet.Core.Models;

namespace AdderNet.Core.Layers;

/// <summary>
/// Batch normalisation as PyTorch defines it (eps 1e-5; the biased variance normalises, the unbiased one enters the running
/// variance) with the join and the ReLU behind it, in steps between which shards may meet: moments, normalise; gradient sums,
/// input gradient. Each is one pass. Arithmetic is in double over float32 samples. Running statistics change only at apply.
/// </summary>
internal sealed unsafe class BatchNormLayer : Layer
{
    private const double Epsilon = 1e-5;
    private readonly BatchNormNode node;
    private readonly NormTailPlan tail;
    private readonly TensorSlot scale;
    private readonly TensorSlot shift;
    private readonly TensorSlot runningMean;
    private readonly TensorSlot runningVariance;
    private readonly ChannelGroups groups;
    private readonly INormPasses passes;

    public BatchNormLayer(
        int index, BatchNormNode node, NormTailPlan tail, TensorSlot scale, TensorSlot shift, TensorSlot runningMean, TensorSlot runningVariance, LayerContext context)
        : base(index, context)
    {
        this.node = node;
        this.tail = tail;
        this.scale = scale;
        this.shift = shift;
        this.runningMean = runningMean;
        this.runningVariance = runningVariance;
        groups = new ChannelGroups(node.Out.Channels);
        passes = NormPasses.Create(context.Vectors, tail.Joins, tail.Rectifies);
    }

    /// <inheritdoc/>
    public override int Last => tail.Last;

    /// <inheritdoc/>
    public override StepPart Part => StepPart.Norm;

    private int Channels => node.Out.Channels;

    /// <inheritdoc/>
    public override void Forward(ShardTape tape)
    {
        var norm = tape.Norm(Index, Channels);
        var mean = Statistic(runningMean);
        var variance = Statistic(runningVariance);
        for (var c = 0; c < Channels; c++)
        {
            norm.Mean[c] = mean[c];
            norm.Inverse[c] = 1 / Math.Sqrt(variance[c] + Epsilon);
        }

        Normalize(tape, norm);
    }

    /// <summary>
    /// The shard's moments: [n, mean per channel, sum of squared distances from the mean per channel], in a buffer that stays
    /// until the next step. Notes what is not finite among the input's values.
    /// </summary>
    /// <remarks>Distances are taken from the channel's first value, which lies within some deviations of the mean, so that little cancels.</remarks>
    public double[] Moments(ShardTape tape)
    {
        var moments = tape.Norm(Index, Channels).OwnMoments;
        var mean = moments.AsSpan(1, Channels);
        var squares = moments.AsSpan(1 + Channels, Channels);
        var x = tape.Output(node.Input).Span;
        fixed (float* input = x)
        {
            var operands = Operands(tape, input);
            operands.Mean = Context.NormScratch.Lanes(groups.Lanes);
            for (var lane = 0; lane < groups.Lanes; lane++)
                operands.Mean[lane] = input[lane % Channels];
            passes.Moments(operands, groups, mean, squares, Context.NormScratch, Context.Threads);
        }

        var n = (double)tape.Samples * node.Out.Pixels;
        moments[0] = n;
        var finite = true;
        for (var c = 0; c < Channels; c++)
        {
            finite &= double.IsFinite(mean[c]);
            var distance = mean[c] / n;
            squares[c] = Math.Max(squares[c] - mean[c] * distance, 0);
            mean[c] = x[c] + distance;
        }

        if (!finite)
            tape.NoteNonFinite(node.Input == ModelDescription.Images ? Index : node.Input);
        return moments;
    }

    /// <summary>Writes the output, and mean and unbiased variance into the statistics section of the reduction vector.</summary>
    /// <param name="tape">One shard.</param>
    /// <param name="moments">Over the shard, or over all shards.</param>
    public void Normalize(ShardTape tape, ReadOnlySpan<double> moments)
    {
        var norm = tape.Norm(Index, Channels);
        var n = moments[0];
        norm.Count = n;
        moments.Slice(1, Channels).CopyTo(norm.Mean);
        var statistics = tape.Reduction.AsSpan(Context.Parameters.Length);
        for (var c = 0; c < Channels; c++)
        {
            var squares = moments[1 + Channels + c];
            norm.Inverse[c] = 1 / Math.Sqrt(squares / n + Epsilon);
            statistics[runningMean.Offset + c] = (float)norm.Mean[c];
            statistics[runningVariance.Offset + c] = (float)(squares / (n - 1));
        }

        if (!Normalize(tape, norm))
            tape.NoteNonFinite(NormIsFinite(tape, norm) ? tail.Join : Index);
    }

    /// <summary>The shard's [sum of dy, sum of dy * xhat], which are also the gradients of shift and scale, in a buffer that stays until the next step.</summary>
    public double[] GradientSums(ShardTape tape)
    {
        var norm = tape.Norm(Index, Channels);
        var sums = norm.OwnSums;
        fixed (float* x = tape.Output(node.Input).Span, y = tape.Output(Last).Span, g = tape.OutputGradient(Index).Span, added = tape.AddedGradient(Index).Span)
        {
            var operands = Operands(tape, x);
            operands.Y = y;
            operands.G = g;
            operands.Added = added;
            Spread(ref operands, norm);
            passes.GradientSums(operands, groups, sums.AsSpan(0, Channels), sums.AsSpan(Channels, Channels), Context.NormScratch, Context.Threads);
        }

        for (var c = 0; c < Channels; c++)
        {
            sums[Channels + c] *= norm.Inverse[c];
            tape.Reduction[shift.Offset + c] = (float)sums[c];
            tape.Reduction[scale.Offset + c] = (float)sums[Channels + c];
        }

        return sums;
    }

    /// <summary>Writes the input's gradient, gamma * inverse * (dy - mean(dy) - xhat * mean(dy * xhat)).</summary>
    /// <param name="tape">One shard, whose <see cref="GradientSums"/> are done.</param>
    /// <param name="sums">Gradient sums over the samples that the moments were taken over.</param>
    public void InputGradient(ShardTape tape, ReadOnlySpan<double> sums)
    {
        var norm = tape.Norm(Index, Channels);
        for (var c = 0; c < Channels; c++)
        {
            norm.Average[c] = sums[c] / norm.Count;
            norm.Slope[c] = sums[Channels + c] * norm.Inverse[c] / norm.Count;
        }

        fixed (float* x = tape.Output(node.Input).Span, g = tape.OutputGradient(Index).Span, dx = tape.InputGradient(Index).Span)
        {
            var operands = Operands(tape, x);
            operands.G = g;
            operands.Dx = dx;
            Spread(ref operands, norm);
            passes.InputGradient(operands, groups, Context.Threads);
        }
    }

    private bool Normalize(ShardTape tape, NormState norm)
    {
        fixed (float* x = tape.Output(node.Input).Span, y = tape.Output(Last).Span, other = tail.Joins ? tape.Output(tail.Other).Span : default)
        {
            var operands = Operands(tape, x);
            operands.Y = y;
            operands.Other = other;
            Spread(ref operands, norm);
            return passes.Normalize(operands, groups, Context.Threads);
        }
    }

    /// <summary>Whether the normalised values themselves are finite in float32; asked once a sum of them with another map is not.</summary>
    private bool NormIsFinite(ShardTape tape, NormState norm)
    {
        if (!tail.Joins)
            return false;
        var x = tape.Output(node.Input).Span[..(tape.Samples * node.Out.Elements)];
        for (var i = 0; i < x.Length; i++)
        {
            var c = i % Channels;
            if (!float.IsFinite((float)((x[i] - norm.Mean[c]) * (norm.Inverse[c] * Context.Parameters[scale.Offset + c]) + Context.Parameters[shift.Offset + c])))
                return false;
        }

        return true;
    }

    private NormOperands Operands(ShardTape tape, float* x) => new() { Lanes = groups.Lanes, Length = tape.Samples * node.Out.Elements, X = x };

    /// <summary>Repeats what the loops need of each channel over a group's lanes.</summary>
    private void Spread(ref NormOperands operands, NormState norm)
    {
        var lanes = Context.NormScratch.Lanes(5 * groups.Lanes);
        operands.Mean = lanes;
        operands.Scale = lanes + groups.Lanes;
        operands.Shift = lanes + 2 * groups.Lanes;
        operands.Average = lanes + 3 * groups.Lanes;
        operands.Slope = lanes + 4 * groups.Lanes;
        for (var c = 0; c < Channels; c++)
        {
            norm.Scale[c] = norm.Inverse[c] * Context.Parameters[scale.Offset + c];
            norm.Shift[c] = Context.Parameters[shift.Offset + c];
        }

        groups.Spread(norm.Mean, operands.Mean);
        groups.Spread(norm.Scale, operands.Scale);
        groups.Spread(norm.Shift, operands.Shift);
        groups.Spread(norm.Average, operands.Average);
        groups.Spread(norm.Slope, operands.Slope);
    }

    private ReadOnlySpan<float> Statistic(TensorSlot slot) => Context.Statistics.AsSpan(slot.Offset, Channels);
}
