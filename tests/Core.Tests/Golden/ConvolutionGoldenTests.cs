using AdderNet.Core.Kernels;
using Xunit;
using Xunit.Abstractions;

namespace AdderNet.Core.Tests.Golden;

/// <summary>Both kernels against the float64 oracle of tests/Golden/formulas.py, float32 PyTorch's own distance printed beside.</summary>
public class ConvolutionGoldenTests(ITestOutputHelper output)
{
    /// <summary>Relative L2 distance from the oracle that a layer may have.</summary>
    internal const double Tolerance = 3e-6;

    public static TheoryData<string, string> Cases()
    {
        var data = new TheoryData<string, string>();
        foreach (var name in GoldenFile.Open("layers").Names.Where(n => n.EndsWith(".f", StringComparison.Ordinal)))
        {
            data.Add("reference", name[..^2]);
            data.Add("best", name[..^2]);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Adder_layers_agree_with_equations_2_and_4_to_7(string kernels, string name)
    {
        var c = new Case(kernels, name);
        var (y, df, sign, dx) = (new float[c.Shape.OutputLength], new float[c.F.Length], new float[c.F.Length], new float[c.X.Length]);
        c.Kernels.AdderForward(c.Shape, c.X, c.F, y, c.Threads);
        c.Kernels.AdderFilterGradient(c.Shape, c.X, c.F, c.G, df, c.Threads);
        c.Kernels.AdderFilterGradientSign(c.Shape, c.X, c.F, c.G, sign, c.Threads);
        c.Kernels.AdderInputGradient(c.Shape, c.X, c.F, c.G, dx, c.Threads);
        var exact = name == "ties";
        c.Check("adder.y", y, Layout.OutputToChannelsLast, output, exact);
        c.Check("adder.df", df, null, output, exact);
        c.Check("adder.df_sign", sign, null, output, exact);
        c.Check("adder.dx", dx, Layout.InputToChannelsLast, output, exact);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Multiplying_layers_agree_with_the_oracle(string kernels, string name)
    {
        var c = new Case(kernels, name);
        var (y, df, dx) = (new float[c.Shape.OutputLength], new float[c.F.Length], new float[c.X.Length]);
        c.Kernels.Forward(c.Shape, c.X, c.F, c.Bias, y, c.Threads);
        c.Kernels.FilterGradient(c.Shape, c.X, c.G, df, c.Threads);
        c.Kernels.InputGradient(c.Shape, c.F, c.G, dx, c.Threads);
        var exact = name == "ties";
        c.Check("conv.y", y, Layout.OutputToChannelsLast, output, exact);
        c.Check("conv.df", df, null, output, exact);
        c.Check("conv.dx", dx, Layout.InputToChannelsLast, output, exact);
    }

    private delegate float[] ToChannelsLast(in ConvolutionShape shape, float[] values);

    private sealed class Case
    {
        private readonly GoldenFile golden = GoldenFile.Open("layers");
        private readonly string name;

        public Case(string kernels, string name)
        {
            this.name = name;
            Kernels = kernels == "reference" ? new ReferenceKernels() : ConvolutionKernels.Best;
            var g = golden.Integers($"{name}.geometry");
            Shape = new ConvolutionShape(g[0], g[1], g[2], g[3], g[4], g[5], g[6], g[7], g[8]);
            X = Layout.InputToChannelsLast(Shape, golden.Floats($"{name}.x"));
            F = golden.Floats($"{name}.f");
            G = Layout.OutputToChannelsLast(Shape, golden.Floats($"{name}.g"));
            Bias = golden.Floats($"{name}.bias");
        }

        public IConvolutionKernels Kernels { get; }

        public ComputeThreads Threads { get; } = new(2);

        public ConvolutionShape Shape { get; }

        public float[] X { get; }

        public float[] F { get; }

        public float[] G { get; }

        public float[] Bias { get; }

        /// <summary>In the case of ties every value and sum is exact in float32, so the result must be too.</summary>
        public void Check(string result, float[] actual, ToChannelsLast? convert, ITestOutputHelper output, bool exact)
        {
            var expected = golden.Floats($"{name}.{result}");
            var distance = Distance.RelativeL2(actual, convert is null ? expected : convert(Shape, expected));
            var pytorch = golden.Doubles($"{name}.{result}.torch")[0];
            output.WriteLine($"{name} {result}: ours {distance:E2}, float32 PyTorch {pytorch:E2}");
            Assert.True(distance <= (exact ? 0 : Tolerance), $"{name} {result} is {distance:E2} from the oracle (float32 PyTorch: {pytorch:E2})");
        }
    }
}
