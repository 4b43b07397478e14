using System.Numerics;
using AdderNet.Core.Configuration;
using AdderNet.Core.Engine;

namespace AdderNet.Core.Optimization;

/// <summary>
/// Momentum SGD as PyTorch defines it, in float32 and unfused: d = scale * g + weight_decay * w; v = momentum * v + d;
/// w = w - rate * v, or with Nesterov w = w - rate * (d + momentum * v). Every parameter decays, batch norms and biases included. BinaryConnect's filters are clipped
/// to [-1, 1] afterwards.
/// </summary>
internal sealed class MomentumSgd(OptimizerOptions optimizer, GradientScaling scaling)
{
    private readonly float momentum = (float)optimizer.Momentum;
    private readonly float decay = (float)optimizer.WeightDecay;

    /// <summary>Updates all parameters and their momentum.</summary>
    /// <param name="layout">Where each parameter lies.</param>
    /// <param name="parameters">Weights, changed.</param>
    /// <param name="velocity">Momentum, changed.</param>
    /// <param name="meanGradient">The step's globally reduced mean gradient.</param>
    /// <param name="learningRate">The step's rate.</param>
    public void Apply(ModelLayout layout, Span<float> parameters, Span<float> velocity, ReadOnlySpan<float> meanGradient, double learningRate)
    {
        for (var i = 0; i < layout.Parameters.Count; i++)
        {
            var parameter = layout.Parameters[i];
            var (offset, length) = (parameter.Tensor.Offset, parameter.Tensor.Length);
            var gradient = meanGradient.Slice(offset, length);
            var scale = Scale(parameter, gradient);
            Update(parameters.Slice(offset, length), velocity.Slice(offset, length), gradient, scale, (float)learningRate);
            if (parameter.Kind == ParameterKind.ClippedWeight)
                Clip(parameters.Slice(offset, length));
        }
    }

    /// <summary>The factor by which a parameter's gradient enters.</summary>
    internal float Scale(ParameterSlot parameter, ReadOnlySpan<float> gradient) =>
        AdaptiveRate.Scale(parameter, gradient, scaling, optimizer.Eta);

    /// <summary>BinaryConnect's clip: beyond +-1 a weight would only move away from the step that its sign takes.</summary>
    private static void Clip(Span<float> weights)
    {
        foreach (ref var weight in weights)
            weight = weight < -1 ? -1 : weight > 1 ? 1 : weight;
    }

    private void Update(Span<float> w, Span<float> v, ReadOnlySpan<float> g, float scale, float rate)
    {
        var i = 0;
        for (; i <= w.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var weight = new Vector<float>(w[i..]);
            var step = new Vector<float>(g[i..]) * scale + weight * decay;
            var speed = new Vector<float>(v[i..]) * momentum + step;
            speed.CopyTo(v[i..]);
            var move = optimizer.Nesterov ? step + speed * momentum : speed;
            (weight - move * rate).CopyTo(w[i..]);
        }

        for (; i < w.Length; i++)
        {
            var step = g[i] * scale + w[i] * decay;
            v[i] = v[i] * momentum + step;
            var move = optimizer.Nesterov ? step + v[i] * momentum : v[i];
            w[i] -= move * rate;
        }
    }
}
