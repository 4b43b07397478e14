using AdderNet.Core.Configuration;
using AdderNet.Core.Models;

namespace AdderNet.Cli.Benchmarks;

/// <summary>Pairs of an input and a filter element that the adder layers of a step pass.</summary>
/// <param name="Elements">Of the forward passes; of the filter gradients as many.</param>
/// <param name="InputGradient">Of the input gradients: the layer that sees the images has none.</param>
internal readonly record struct AdderWork(double Elements, double InputGradient)
{
    /// <summary>The pairs, each pass weighed with the instructions that its bound is stated in: 1 forward, 1 filter gradient, 1.5 input gradient.</summary>
    public double Weighed => 2 * Elements + 1.5 * InputGradient;

    public static AdderWork Of(ModelDescription model, int batch)
    {
        var layers = model.Nodes.OfType<ConvolutionNode>().Where(node => node.Method == LayerMethod.Adder).ToList();
        return new AdderWork(batch * layers.Sum(Pairs), batch * layers.Where(node => node.Input != ModelDescription.Images).Sum(Pairs));
    }

    /// <summary>The share of the bound (<see cref="Weighed"/> at the rate of fused multiply-adds) that passes would reach whose instructions ran as fast as on registers.</summary>
    public double OfBoundOnRegisters(LoopRates rates) =>
        Weighed / rates.Product / (Elements / rates.Adder + Elements / rates.Product + InputGradient / rates.Clamp);

    private static double Pairs(ConvolutionNode node) => (double)node.Out.Elements * node.FilterElements;
}
