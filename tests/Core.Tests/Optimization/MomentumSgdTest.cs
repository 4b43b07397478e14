using AdderNet.Core.Configuration;
using AdderNet.Core.Engine;
using AdderNet.Core.Kernels;
using AdderNet.Core.Numerics;
using AdderNet.Core.Optimization;
using Xunit;

namespace AdderNet.Core.Tests.Optimization;

public sealed class MomentumSgdTest : IDisposable
{
    private static readonly ModelLayout Layout = new(
        [
            new ParameterSlot(new TensorSlot("conv1.adder", [4], 0, 4), ParameterKind.AdderFilter),
            new ParameterSlot(new TensorSlot("bn1.bias", [19], 4, 19), ParameterKind.NormShift),
        ],
        []);

    private readonly ComputeThreads one = new(1);

    public void Dispose() => one.Dispose();

    /// <summary>Worked by hand from PyTorch's rule: w0 = 1, g = 0.5 in both steps, wd = 0.1, m = 0.9, lr = 0.1.</summary>
    [Theory]
    [InlineData(false, 0.6, 0.94, 1.134, 0.8266)]
    [InlineData(true, 0.6, 0.886, 1.1286, 0.725566)]
    public void Two_steps_give_PyTorchs_values(bool nesterov, double v1, double w1, double v2, double w2)
    {
        var (w, v) = (Filled(1), Filled(0));
        var optimizer = new MomentumSgd(new OptimizerOptions { Nesterov = nesterov, WeightDecay = 0.1, Momentum = 0.9 }, GradientScaling.None);
        optimizer.Apply(Layout, w, v, Filled(0.5f), 0.1, one);
        Assert.All(v, value => Assert.Equal(v1, value, 1e-6));
        Assert.All(w, value => Assert.Equal(w1, value, 1e-6));
        optimizer.Apply(Layout, w, v, Filled(0.5f), 0.1, one);
        Assert.All(v, value => Assert.Equal(v2, value, 1e-6));
        Assert.All(w, value => Assert.Equal(w2, value, 1e-6));
    }

    [Fact]
    public void Adder_filters_alone_enter_momentum_at_their_own_rate_and_decay_unscaled()
    {
        // k = 4 elements, |g| = sqrt(4 * 0.25) = 1: alpha = 0.3 * 2 / 1 = 0.6; d = 0.6 * 0.5 + 0.1 * 1 = 0.4.
        var (w, v) = (Filled(1), Filled(0));
        new MomentumSgd(new OptimizerOptions { WeightDecay = 0.1, Eta = 0.3 }, GradientScaling.Adaptive).Apply(Layout, w, v, Filled(0.5f), 0.1, one);
        Assert.All(v[..4], value => Assert.Equal(0.4, value, 1e-6));
        Assert.All(v[4..], value => Assert.Equal(0.6, value, 1e-6));

        (w, v) = (Filled(1), Filled(0));
        new MomentumSgd(new OptimizerOptions { WeightDecay = 0.1 }, GradientScaling.Increased).Apply(Layout, w, v, Filled(0.5f), 0.1, one);
        Assert.All(v[..4], value => Assert.Equal(50.1, value, 1e-4));
        Assert.All(v[4..], value => Assert.Equal(0.6, value, 1e-6));
    }

    [Fact]
    public void The_adaptive_rate_of_a_vanishing_gradient_is_finite()
    {
        var slot = Layout.Parameters[0];
        Assert.Equal((float)(0.1 * 2 / 1e-12), AdaptiveRate.Scale(slot, new float[4], GradientScaling.Adaptive, 0.1));
        Assert.Equal((float)(0.1 * 2 / 5.0), AdaptiveRate.Scale(slot, [3, 0, 4, 0], GradientScaling.Adaptive, 0.1));
        Assert.Equal(1f, AdaptiveRate.Scale(Layout.Parameters[1], [3, 0, 4, 0], GradientScaling.Adaptive, 0.1));
    }

    [Fact]
    public void A_step_moves_every_element_alike_wherever_it_lies_in_the_vector()
    {
        var (w, v) = (Filled(0.3f), Filled(0.7f));
        new MomentumSgd(new OptimizerOptions { Nesterov = true }, GradientScaling.None).Apply(Layout, w, v, Filled(0.123f), 0.0317, one);
        Assert.Single(w.Distinct());
        Assert.Single(v.Distinct());
    }

    [Fact]
    public void Any_number_of_threads_updates_every_parameter_once()
    {
        var offset = 0;
        ParameterSlot Next(int length, ParameterKind kind) => new(new TensorSlot($"{offset}", [length], (offset += length) - length, length), kind);
        var layout = new ModelLayout(
            [
                Next(70_001, ParameterKind.AdderFilter), Next(13, ParameterKind.NormScale), Next(120_000, ParameterKind.ClippedWeight),
                Next(40_000, ParameterKind.AdderFilter), Next(9, ParameterKind.Bias),
            ],
            []);
        var draws = new Philox(seed: 7, DrawPurpose.Probe);
        var (weights, gradient) = (Drawn(), Drawn());
        var optimizer = new MomentumSgd(new OptimizerOptions(), GradientScaling.Adaptive);
        var expected = Updated(one);
        Assert.DoesNotContain(expected.Zip(weights), pair => pair.First == pair.Second);
        for (var count = 2; count <= 4; count++)
        {
            using var threads = new ComputeThreads(count);
            Assert.Equal(expected, Updated(threads));
        }

        float[] Drawn() => [.. Enumerable.Range(0, layout.ParameterLength).Select(_ => (float)(0.5 * draws.NextNormal()))];

        float[] Updated(ComputeThreads threads)
        {
            var (w, v) = ((float[])weights.Clone(), new float[weights.Length]);
            optimizer.Apply(layout, w, v, gradient, 0.1, threads);
            optimizer.Apply(layout, w, v, gradient, 0.1, threads);
            return w;
        }
    }

    private static float[] Filled(float value)
    {
        var values = new float[Layout.ParameterLength];
        Array.Fill(values, value);
        return values;
    }
}
