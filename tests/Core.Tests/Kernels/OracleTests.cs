using AdderNet.Core.Kernels;
using AdderNet.Core.Numerics;
using Xunit;
using Xunit.Abstractions;

namespace AdderNet.Core.Tests.Kernels;

/// <summary>
/// The paper's formulas in float64 on the layer shapes of real models, where sums are long: sampled outputs stay within 1e-6
/// relative L2. (Equality with the reference is tested elsewhere, so the fast kernels stand for both.)
/// </summary>
public class OracleTests(ITestOutputHelper output)
{
    private const double Tolerance = 1e-6;
    private const int Samples = 400;

    [Theory]
    [InlineData("LeNet-5 conv1", 64, 28, 1, 6, 5, 1, 2)]
    [InlineData("LeNet-5 conv2", 64, 14, 6, 16, 5, 1, 0)]
    [InlineData("LeNet-5 fc1", 64, 5, 16, 120, 5, 1, 0)]
    [InlineData("LeNet-5 fc2", 64, 1, 120, 84, 1, 1, 0)]
    [InlineData("ResNet-20 stage 1", 16, 32, 16, 16, 3, 1, 1)]
    [InlineData("ResNet-20 stage 3, first", 16, 16, 32, 64, 3, 2, 1)]
    [InlineData("ResNet-50 stem", 1, 112, 3, 64, 7, 2, 3)]
    [InlineData("ResNet-50 3x3 64", 2, 56, 64, 64, 3, 1, 1)]
    [InlineData("ResNet-50 3x3 512", 2, 7, 512, 512, 3, 1, 1)]
    [InlineData("ResNet-50 1x1 2048-512", 2, 7, 2048, 512, 1, 1, 0)]
    [InlineData("ResNet-50 1x1 64-256", 1, 56, 64, 256, 1, 1, 0)]
    [InlineData("ResNet-50 1x1 512-1024, strided", 1, 28, 512, 1024, 1, 2, 0)]
    [InlineData("VGG 3x3 512", 1, 8, 512, 512, 3, 1, 1)]
    public void Sampled_outputs_agree_with_float64(string layer, int n, int size, int c, int t, int kernel, int stride, int padding)
    {
        using var threads = new ComputeThreads(2);
        var shape = new ConvolutionShape(n, size, size, c, t, kernel, kernel, stride, padding);
        var drawn = new ConvolutionCase(shape);
        var oracle = new Oracle(drawn);
        var kernels = ConvolutionKernels.Best;
        Check("forward", drawn.Run(0, kernels, threads), at => oracle.Forward(at, (x, f) => -Math.Abs(x - f)));
        Check("filter gradient", drawn.Run(1, kernels, threads), at => oracle.FilterGradient(at, (x, f) => x - f));
        Check("sign filter gradient", drawn.Run(2, kernels, threads), at => oracle.FilterGradient(at, (x, f) => Math.Sign(x - f)));
        Check("input gradient", drawn.Run(3, kernels, threads), at => oracle.InputGradient(at, (x, f) => Math.Clamp(f - x, -1, 1)));
        Check("multiplying forward", drawn.Run(4, kernels, threads), at => oracle.Forward(at, (x, f) => x * f) + drawn.Bias[at % shape.T]);
        Check("multiplying filter gradient", drawn.Run(5, kernels, threads), at => oracle.FilterGradient(at, (x, _) => x));
        Check("multiplying input gradient", drawn.Run(6, kernels, threads), at => oracle.InputGradient(at, (_, f) => f));

        void Check(string pass, float[] actual, Func<int, double> expected)
        {
            var stream = new Philox(51, DrawPurpose.Probe);
            double error = 0, norm = 0;
            for (var sample = 0; sample < Samples; sample++)
            {
                var at = stream.NextBelow(actual.Length);
                var value = expected(at);
                error += (actual[at] - value) * (actual[at] - value);
                norm += value * value;
            }

            output.WriteLine($"{layer}, {pass}: {Math.Sqrt(error / norm):E1}");
            Assert.InRange(Math.Sqrt(error / norm), 0, Tolerance);
        }
    }

    /// <summary>Single elements of each pass, summed in double straight from the definitions.</summary>
    private sealed class Oracle(ConvolutionCase drawn)
    {
        private readonly ConvolutionShape shape = drawn.Shape;

        public double Forward(int at, Func<double, double, double> term)
        {
            var (n, row, column, t) = Split(at, shape.OutHeight, shape.OutWidth, shape.T);
            var sum = 0.0;
            for (var k = 0; k < shape.FilterElements; k++)
                sum += term(Input(n, row, column, k), drawn.Filters[t * shape.FilterElements + k]);
            return sum;
        }

        public double FilterGradient(int at, Func<double, double, double> factor)
        {
            var (t, k) = (at / shape.FilterElements, at % shape.FilterElements);
            var sum = 0.0;
            for (var p = 0; p < shape.Positions; p++)
            {
                var (n, row, column, _) = Split(p, shape.OutHeight, shape.OutWidth, 1);
                sum += factor(Input(n, row, column, k), drawn.Filters[at]) * drawn.G[p * shape.T + t];
            }

            return sum;
        }

        public double InputGradient(int at, Func<double, double, double> factor)
        {
            var (n, h, w, c) = Split(at, shape.H, shape.W, shape.C);
            var taps = shape.KernelHeight * shape.KernelWidth;
            var sum = 0.0;
            for (var tap = 0; tap < taps; tap++)
            {
                var (top, left) = (h + shape.Padding - tap / shape.KernelWidth, w + shape.Padding - tap % shape.KernelWidth);
                var (row, column) = (top / shape.Stride, left / shape.Stride);
                if (top < 0 || left < 0 || top % shape.Stride != 0 || left % shape.Stride != 0 || row >= shape.OutHeight || column >= shape.OutWidth)
                    continue;
                for (var t = 0; t < shape.T; t++)
                {
                    var filter = drawn.Filters[(t * shape.C + c) * taps + tap];
                    sum += factor(drawn.X[at], filter) * drawn.G[((n * shape.OutHeight + row) * shape.OutWidth + column) * shape.T + t];
                }
            }

            return sum;
        }

        private double Input(int n, int row, int column, int k)
        {
            var taps = shape.KernelHeight * shape.KernelWidth;
            var h = row * shape.Stride - shape.Padding + k % taps / shape.KernelWidth;
            var w = column * shape.Stride - shape.Padding + k % shape.KernelWidth;
            return h < 0 || w < 0 || h >= shape.H || w >= shape.W ? 0 : drawn.X[((n * shape.H + h) * shape.W + w) * shape.C + k / taps];
        }

        private static (int, int, int, int) Split(int at, int height, int width, int channels) =>
            (at / channels / width / height, at / channels / width % height, at / channels % width, at % channels);
    }
}
