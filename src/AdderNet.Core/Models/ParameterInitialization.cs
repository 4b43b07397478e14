using AdderNet.Core.Numerics;

namespace AdderNet.Core.Models;

/// <summary>
/// Initial weights: a pure function of the description and the seed. Every tensor has its own stream, keyed by its index
/// among the model's parameters, and draws its elements in canonical order.
/// </summary>
internal static class ParameterInitialization
{
    /// <summary>All parameters, laid out as <see cref="ModelDescription.Layout"/>.</summary>
    public static float[] Draw(ModelDescription model, long seed)
    {
        var values = new float[model.Layout.ParameterLength];
        var slots = model.Layout.Parameters;
        var index = 0;
        foreach (var node in model.Nodes)
        {
            switch (node)
            {
                case ConvolutionNode convolution:
                    Fill(values, slots[index].Tensor, Filters(convolution), new Philox(seed, DrawPurpose.Initialization, (uint)index));
                    index++;
                    if (!convolution.Bias)
                        break;
                    var bound = 1 / Math.Sqrt(convolution.FilterElements);
                    Fill(values, slots[index].Tensor, Uniform(bound), new Philox(seed, DrawPurpose.Initialization, (uint)index));
                    index++;
                    break;
                case BatchNormNode norm:
                    values.AsSpan(slots[index].Tensor.Offset, slots[index].Tensor.Length).Fill(norm.StartScale);
                    index += 2;
                    break;
            }
        }

        return values;
    }

    /// <summary>Running means of 0 and variances of 1.</summary>
    public static float[] Statistics(ModelDescription model)
    {
        var values = new float[model.Layout.StatisticsLength];
        for (var i = 1; i < model.Layout.Statistics.Count; i += 2)
        {
            var variance = model.Layout.Statistics[i];
            values.AsSpan(variance.Offset, variance.Length).Fill(1);
        }

        return values;
    }

    private delegate double NextValue(ref Philox draws);

    private static void Fill(float[] values, Engine.TensorSlot slot, NextValue next, Philox draws)
    {
        for (var i = slot.Offset; i < slot.Offset + slot.Length; i++)
            values[i] = (float)next(ref draws);
    }

    private static NextValue Filters(ConvolutionNode node)
    {
        switch (node.Start)
        {
            case WeightStart.StandardNormal:
                return static (ref Philox draws) => draws.NextNormal();
            case WeightStart.KaimingFanOut:
                var deviation = Math.Sqrt(2.0 / ((double)node.Out.Channels * node.KernelHeight * node.KernelWidth));
                return (ref Philox draws) => draws.NextNormal() * deviation;
            case WeightStart.UniformFanIn:
                return Uniform(1 / Math.Sqrt(node.FilterElements));
            default:
                throw new ArgumentOutOfRangeException(nameof(node), node.Start, "Not a way to start.");
        }
    }

    private static NextValue Uniform(double bound) => (ref Philox draws) => (2 * draws.NextDouble() - 1) * bound;
}
