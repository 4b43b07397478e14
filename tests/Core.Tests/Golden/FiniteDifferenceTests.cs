using AdderNet.Core.Kernels;
using Xunit;
using Xunit.Abstractions;

namespace AdderNet.Core.Tests.Golden;

/// <summary>
/// Which of the paper's gradients are derivatives of eq. 2: the sign gradient (eq. 4) is, away from ties; the full-precision
/// gradient (eq. 5) and the clipped input gradient (eq. 6-7) are surrogates and must not be.
/// </summary>
public class FiniteDifferenceTests(ITestOutputHelper output)
{
    private const float Step = 1f / 512;
    private static readonly ReferenceKernels Kernels = new();
    private static readonly GoldenFile Golden = GoldenFile.Open("layers");

    [Fact]
    public void Only_the_sign_gradient_is_the_derivative_of_the_forward_pass()
    {
        var (shape, x, f, g) = Case();
        var (sign, full, dx) = (new float[f.Length], new float[f.Length], new float[x.Length]);
        var threads = new ComputeThreads(1);
        Kernels.AdderFilterGradientSign(shape, x, f, g, sign, threads);
        Kernels.AdderFilterGradient(shape, x, f, g, full, threads);
        Kernels.AdderInputGradient(shape, x, f, g, dx, threads);

        var filters = Differences(f, () => Loss(shape, x, f, g));
        var inputs = Differences(x, () => Loss(shape, x, f, g));
        double signError = Distance.RelativeL2(sign, filters), fullError = Distance.RelativeL2(full, filters), inputError = Distance.RelativeL2(dx, inputs);
        output.WriteLine($"from central differences: eq. 4 {signError:E1}, eq. 5 {fullError:E1}, eq. 6-7 {inputError:E1}");
        Assert.True(signError < 1e-3);
        Assert.True(fullError > 0.1);
        Assert.True(inputError > 0.1);
    }

    /// <summary>The golden case of odd channels, moved to values whose differences are odd multiples of 1/64: no ties within a step.</summary>
    private static (ConvolutionShape Shape, float[] X, float[] F, float[] G) Case()
    {
        var n = Golden.Integers("odd_channels.geometry");
        var shape = new ConvolutionShape(n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8]);
        var x = Layout.InputToChannelsLast(shape, Golden.Floats("odd_channels.x"));
        var f = Golden.Floats("odd_channels.f");
        var g = Layout.OutputToChannelsLast(shape, Golden.Floats("odd_channels.g"));
        return (shape,
            [.. x.Select(v => MathF.Round(v * 32) / 32)],
            [.. f.Select(v => MathF.Round(v * 32) / 32 + 1f / 64)],
            [.. g.Select(v => MathF.Round(v * 64) / 64)]);
    }

    private static float[] Differences(float[] variables, Func<double> loss)
    {
        var result = new float[variables.Length];
        for (var i = 0; i < variables.Length; i++)
        {
            var value = variables[i];
            variables[i] = value + Step;
            var above = loss();
            variables[i] = value - Step;
            result[i] = (float)((above - loss()) / (2 * Step));
            variables[i] = value;
        }

        return result;
    }

    private static double Loss(in ConvolutionShape shape, float[] x, float[] f, float[] g)
    {
        var y = new float[shape.OutputLength];
        Kernels.AdderForward(shape, x, f, y, new ComputeThreads(1));
        return y.Zip(g, (a, b) => (double)a * b).Sum();
    }
}
