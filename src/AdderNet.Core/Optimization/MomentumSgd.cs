using System.Numerics;
using AdderNet.Core.Configuration;
using AdderNet.Core.Engine;
using AdderNet.Core.Kernels;

namespace AdderNet.Core.Optimization;

/// <summary>
/// Momentum SGD as PyTorch defines it, in float32 and unfused: d = scale * g + weight_decay * w; v = momentum * v + d;
/// w = w - rate * v, or with Nesterov w = w - rate * (d + momentum * v). Every parameter decays, batch norms and biases included. BinaryConnect's filters are clipped
/// to [-1, 1] afterwards.
/// </summary>
internal sealed unsafe class MomentumSgd(OptimizerOptions optimizer, GradientScaling scaling)
{
    /// <summary>Elements that are worth a thread.</summary>
    private const int ThreadElements = 32 * 1024;

    private readonly float momentum = (float)optimizer.Momentum;
    private readonly float decay = (float)optimizer.WeightDecay;

    /// <summary>Updates all parameters and their momentum.</summary>
    /// <param name="layout">Where each parameter lies.</param>
    /// <param name="parameters">Weights, changed.</param>
    /// <param name="velocity">Momentum, changed.</param>
    /// <param name="meanGradient">The step's globally reduced mean gradient.</param>
    /// <param name="learningRate">The step's rate.</param>
    /// <param name="threads">Threads to split the parameters over: each is one thread's, its norm included.</param>
    public void Apply(
        ModelLayout layout, Span<float> parameters, Span<float> velocity, ReadOnlySpan<float> meanGradient, double learningRate, ComputeThreads threads)
    {
        fixed (float* w = parameters, v = velocity, g = meanGradient)
        {
            threads.Split(
                layout.ParameterLength,
                new Job { Optimizer = this, Parameters = layout.Parameters, Weights = w, Velocity = v, Gradient = g, Rate = (float)learningRate },
                ThreadElements);
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

    private struct Job : ISplitJob
    {
        public MomentumSgd Optimizer;
        public IReadOnlyList<ParameterSlot> Parameters;
        public float* Weights;
        public float* Velocity;
        public float* Gradient;
        public float Rate;

        /// <summary>An item is an element; a parameter belongs to the part that its first element lies in.</summary>
        public readonly void Run(int first, int end)
        {
            for (var i = 0; i < Parameters.Count; i++)
            {
                var (offset, length) = (Parameters[i].Tensor.Offset, Parameters[i].Tensor.Length);
                if (offset < first || offset >= end)
                    continue;
                var weights = new Span<float>(Weights + offset, length);
                var gradient = new ReadOnlySpan<float>(Gradient + offset, length);
                var scale = Optimizer.Scale(Parameters[i], gradient);
                Optimizer.Update(weights, new Span<float>(Velocity + offset, length), gradient, scale, Rate);
                if (Parameters[i].Kind == ParameterKind.ClippedWeight)
                    Clip(weights);
            }
        }
    }
}
