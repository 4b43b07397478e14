using AdderNet.Core.Configuration;
using AdderNet.Core.Engine;
using AdderNet.Core.Numerics;

namespace AdderNet.Core.Optimization;

/// <summary>
/// The local learning rate of adder filters (paper, eq. 12-13): alpha = eta * sqrt(k) / max(norm, 1e-12), with k the
/// elements of the layer's filters and norm the L2 norm of its gradient. The gradient must be the globally reduced mean: a
/// norm of one replica's part would make the weights depend on the number of workers. Other parameters are not scaled.
/// </summary>
internal static class AdaptiveRate
{
    private const double SmallestNorm = 1e-12;
    private const float Increase = 100;

    /// <summary>What the gradient of a parameter is multiplied by before momentum and weight decay.</summary>
    /// <param name="parameter">The parameter.</param>
    /// <param name="meanGradient">Its globally reduced mean gradient, in canonical order.</param>
    /// <param name="scaling">adaptive: alpha; increased: 100; none: 1.</param>
    /// <param name="eta">eta of eq. 13.</param>
    public static float Scale(ParameterSlot parameter, ReadOnlySpan<float> meanGradient, GradientScaling scaling, double eta)
    {
        if (parameter.Kind != ParameterKind.AdderFilter)
            return 1;
        return scaling switch
        {
            GradientScaling.Adaptive => (float)(eta * Math.Sqrt(meanGradient.Length) / Math.Max(GradientNorm.L2(meanGradient), SmallestNorm)),
            GradientScaling.Increased => Increase,
            GradientScaling.None => 1,
            _ => throw new ArgumentOutOfRangeException(nameof(scaling), scaling, "Not a scaling."),
        };
    }
}
