using AdderNet.Core.Engine;
using AdderNet.Core.Numerics;

namespace AdderNet.Core.Layers;

/// <summary>What a batch's logits say.</summary>
/// <param name="LossSum">Sum of -log softmax(logits)[label] over the samples, in order; a NaN where a sample's logits are not finite.</param>
/// <param name="Top1">Samples whose label is the largest logit, the lowest class on ties.</param>
/// <param name="Top5">Samples whose label is among the five largest logits.</param>
internal readonly record struct Verdict(double LossSum, int Top1, int Top5);

/// <summary>Softmax and cross-entropy in double, sample by sample.</summary>
internal static class SoftmaxCrossEntropy
{
    /// <summary>Judges logits [samples, classes].</summary>
    /// <param name="logits">Row after row.</param>
    /// <param name="labels">Class of each sample.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="gradient">Receives the gradient of the mean loss, (softmax - one-hot) / samples; empty: not wanted.</param>
    /// <param name="lossBefore">Loss of the samples before these, so that the sum's order does not depend on how samples are cut.</param>
    public static Verdict Judge(ReadOnlySpan<float> logits, ReadOnlySpan<int> labels, int classes, Span<float> gradient, double lossBefore = 0)
    {
        var (loss, top1, top5) = (lossBefore, 0, 0);
        var exponentials = classes <= 1024 ? stackalloc double[classes] : new double[classes];
        for (var i = 0; i < labels.Length; i++)
        {
            var row = logits.Slice(i * classes, classes);
            var rowGradient = gradient.IsEmpty ? [] : gradient.Slice(i * classes, classes);
            if (!ElementLoops.AllFinite(row))
            {
                loss = double.NaN;
                rowGradient.Clear();
                continue;
            }

            var label = labels[i];
            var rank = Rank(row, label);
            top1 += rank == 0 ? 1 : 0;
            top5 += rank < 5 ? 1 : 0;

            var largest = Largest(row);
            var total = 0.0;
            for (var c = 0; c < classes; c++)
            {
                exponentials[c] = DeterministicMath.Exp((double)row[c] - largest);
                total += exponentials[c];
            }

            loss += DeterministicMath.Log(total) - ((double)row[label] - largest);
            for (var c = 0; c < rowGradient.Length; c++)
                rowGradient[c] = (float)((exponentials[c] / total - (c == label ? 1 : 0)) / labels.Length);
        }

        return new Verdict(loss, top1, top5);
    }

    /// <summary>What one sample's logits say.</summary>
    /// <param name="row">Logits of the classes.</param>
    /// <param name="label">Its class.</param>
    public static SampleVerdict JudgeSample(ReadOnlySpan<float> row, int label)
    {
        if (!ElementLoops.AllFinite(row))
            return new SampleVerdict(label, SampleVerdict.Nothing, false);
        var rank = Rank(row, label);
        return new SampleVerdict(label, rank == 0 ? label : row.IndexOf(Largest(row)), rank < 5);
    }

    /// <summary>How many classes come before the label: larger logits, and equal ones of lower classes.</summary>
    private static int Rank(ReadOnlySpan<float> row, int label)
    {
        var rank = 0;
        for (var c = 0; c < row.Length; c++)
        {
            if (row[c] > row[label] || (row[c] == row[label] && c < label))
                rank++;
        }

        return rank;
    }

    private static float Largest(ReadOnlySpan<float> row)
    {
        var largest = row[0];
        foreach (var logit in row)
            largest = logit > largest ? logit : largest;
        return largest;
    }
}
