using System.Numerics;

namespace AdderNet.Core.Kernels;

/// <summary>Activation and momentum, element by element: every vector width gives equal bits since nothing is summed across elements.</summary>
internal static class ElementKernels
{
    /// <summary>y = x where x is above 0, else +0. In place if both are one buffer.</summary>
    public static void ReluForward(ReadOnlySpan<float> x, Span<float> y)
    {
        Lengths.MustBe(x.Length, y.Length, nameof(y));
        var i = 0;
        if (Vector.IsHardwareAccelerated)
        {
            for (; i <= y.Length - Vector<float>.Count; i += Vector<float>.Count)
            {
                var value = new Vector<float>(x[i..]);
                Vector.ConditionalSelect(Vector.GreaterThan(value, Vector<float>.Zero), value, Vector<float>.Zero).CopyTo(y[i..]);
            }
        }

        for (; i < y.Length; i++)
            y[i] = x[i] > 0f ? x[i] : 0f;
    }

    /// <summary>dx = dy where the activation's output y was above 0, else +0. In place if dx is dy.</summary>
    public static void ReluBackward(ReadOnlySpan<float> y, ReadOnlySpan<float> dy, Span<float> dx)
    {
        Lengths.MustAgree(y.Length, dy.Length, dx.Length);
        var i = 0;
        if (Vector.IsHardwareAccelerated)
        {
            for (; i <= dx.Length - Vector<float>.Count; i += Vector<float>.Count)
            {
                var above = Vector.GreaterThan(new Vector<float>(y[i..]), Vector<float>.Zero);
                Vector.ConditionalSelect(above, new Vector<float>(dy[i..]), Vector<float>.Zero).CopyTo(dx[i..]);
            }
        }

        for (; i < dx.Length; i++)
            dx[i] = y[i] > 0f ? dy[i] : 0f;
    }

    /// <summary>y = max(left + right, 0): a residual sum and its activation.</summary>
    public static void AddRelu(ReadOnlySpan<float> left, ReadOnlySpan<float> right, Span<float> y)
    {
        Lengths.MustAgree(left.Length, right.Length, y.Length);
        var i = 0;
        if (Vector.IsHardwareAccelerated)
        {
            for (; i <= y.Length - Vector<float>.Count; i += Vector<float>.Count)
            {
                var value = new Vector<float>(left[i..]) + new Vector<float>(right[i..]);
                Vector.ConditionalSelect(Vector.GreaterThan(value, Vector<float>.Zero), value, Vector<float>.Zero).CopyTo(y[i..]);
            }
        }

        for (; i < y.Length; i++)
        {
            var value = left[i] + right[i];
            y[i] = value > 0f ? value : 0f;
        }
    }

    /// <summary>
    /// Momentum SGD as PyTorch defines it, unfused: d = scale*g + decay*w; v = momentum*v + d; w -= rate*(nesterov ? d + momentum*v : v).
    /// </summary>
    /// <param name="weights">w, changed in place.</param>
    /// <param name="velocity">v, changed in place.</param>
    /// <param name="gradient">g.</param>
    /// <param name="scale">Factor of g: alpha of the adaptive rate (paper, eq. 12-13), 100 for <c>increased</c>, else 1.</param>
    /// <param name="rate">Learning rate.</param>
    /// <param name="momentum">Momentum coefficient.</param>
    /// <param name="decay">Weight decay.</param>
    /// <param name="nesterov">Whether the step looks ahead.</param>
    public static void MomentumStep(
        Span<float> weights, Span<float> velocity, ReadOnlySpan<float> gradient, float scale, float rate, float momentum, float decay, bool nesterov)
    {
        Lengths.MustAgree(weights.Length, velocity.Length, gradient.Length);
        var i = 0;
        if (Vector.IsHardwareAccelerated)
        {
            for (; i <= weights.Length - Vector<float>.Count; i += Vector<float>.Count)
            {
                var w = new Vector<float>(weights[i..]);
                var d = new Vector<float>(gradient[i..]) * scale + w * decay;
                var v = new Vector<float>(velocity[i..]) * momentum + d;
                v.CopyTo(velocity[i..]);
                (w - (nesterov ? d + v * momentum : v) * rate).CopyTo(weights[i..]);
            }
        }

        for (; i < weights.Length; i++)
        {
            var d = gradient[i] * scale + weights[i] * decay;
            var v = velocity[i] * momentum + d;
            velocity[i] = v;
            weights[i] -= (nesterov ? d + v * momentum : v) * rate;
        }
    }
}
