using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Engine;
using AdderNet.Core.Kernels;
using AdderNet.Core.Layers;
using AdderNet.Core.Models;
using AdderNet.Core.Numerics;
using Xunit;

namespace AdderNet.Core.Tests.Layers;

public sealed class LayerArithmeticTest
{
    /// <summary>Channels that fill vectors and ones that do not, positions that end in the middle of a group and of a block.</summary>
    [Theory]
    [InlineData(6, 28)]
    [InlineData(10, 1)]
    [InlineData(16, 5)]
    [InlineData(84, 1)]
    [InlineData(120, 7)]
    public void A_batch_norm_lies_within_rounding_of_the_textbook_formula(int channels, int side)
    {
        const int samples = 7;
        using var bench = new NormBench(channels, side, samples);
        var (x, g) = (bench.Draw(1, -300, 20), bench.Draw(2, 0, 1));
        x.CopyTo(bench.Tape.Output(0));
        var moments = bench.Norm.Moments(bench.Tape);
        bench.Norm.Normalize(bench.Tape, moments);
        var y = bench.Tape.Output(1)[..x.Length].ToArray();
        g.CopyTo(bench.Tape.OutputGradient(1));
        var sums = bench.Norm.GradientSums(bench.Tape);
        bench.Norm.InputGradient(bench.Tape, sums);
        var dx = bench.Tape.OutputGradient(1)[..x.Length].ToArray();

        var (expectedY, expectedDx) = (new double[x.Length], new double[x.Length]);
        var layout = bench.Model.Layout;
        for (var c = 0; c < channels; c++)
        {
            var places = Enumerable.Range(0, x.Length / channels).Select(p => p * channels + c).ToArray();
            var mean = places.Average(i => (double)x[i]);
            var variance = places.Average(i => (x[i] - mean) * (x[i] - mean));
            var inverse = 1 / Math.Sqrt(variance + 1e-5);
            var (scale, shift) = (bench.Scale(c), bench.Shift(c));
            var meanG = places.Average(i => (double)g[i]);
            var meanGX = places.Average(i => g[i] * (x[i] - mean) * inverse);
            foreach (var i in places)
            {
                expectedY[i] = (x[i] - mean) * inverse * scale + shift;
                expectedDx[i] = scale * inverse * (g[i] - meanG - (x[i] - mean) * inverse * meanGX);
            }

            Assert.Equal(meanG * places.Length, bench.Tape.Reduction[layout.Parameters[2].Tensor.Offset + c], 1e-4);
            Assert.Equal(meanGX * places.Length, bench.Tape.Reduction[layout.Parameters[1].Tensor.Offset + c], 1e-4);
            Assert.Equal(mean, bench.Tape.Reduction[layout.ParameterLength + c], 1e-4);
            var unbiased = variance * places.Length / (places.Length - 1);
            Assert.Equal(1, bench.Tape.Reduction[layout.ParameterLength + channels + c] / unbiased, 1e-6);
        }

        Assert.InRange(Distance(y, expectedY), 0, 1e-7);
        Assert.InRange(Distance(dx, expectedDx), 0, 1e-7);
    }

    [Fact]
    public void Max_pooling_takes_the_first_of_equal_values_and_sends_the_gradient_there_alone()
    {
        var build = new ModelBuilder("net", new InputShape(4, 4, 1));
        build.Relu("relu");
        build.MaxPool("pool", 3, 2, padding: 1);
        var model = build.Build();
        using var threads = new ComputeThreads(2);
        var layer = new MaxPoolLayer(1, (MaxPoolNode)model.Nodes[1], Context(model, threads));
        var tape = new ShardTape(model, new TapePlan(model.Nodes), 1);
        float[] x = [1, 2, 0, 5, 2, 2, 3, 4, -1, -1, 7, 7, -1, -1, 7, 0];
        tape.Begin(new SampleBatch(x, new[] { 0 }, 1), 0, []);
        x.CopyTo(tape.Output(0));
        layer.Forward(tape);
        Assert.Equal([2, 5, 2, 7], tape.Output(1)[..4].ToArray());
        new float[] { 1, 10, 100, 1000 }.CopyTo(tape.OutputGradient(1));
        layer.Backward(tape);
        Assert.Equal([0, 1, 0, 10, 100, 0, 0, 0, 0, 0, 1000, 0, 0, 0, 0, 0], tape.InputGradient(1)[..16].ToArray());
    }

    [Theory]
    [InlineData(1, 2, 2, 0)]
    [InlineData(6, 2, 2, 0)]
    [InlineData(6, 3, 2, 1)]
    [InlineData(11, 3, 2, 1)]
    [InlineData(64, 3, 1, 1)]
    public void Max_pooling_is_the_plain_loop_for_any_number_of_channels(int channels, int kernel, int stride, int padding)
    {
        const int samples = 3, side = 22;
        var build = new ModelBuilder("net", new InputShape(side, side, channels));
        build.Relu("relu");
        build.MaxPool("pool", kernel, stride, padding);
        var model = build.Build();
        using var threads = new ComputeThreads(3);
        var node = (MaxPoolNode)model.Nodes[1];
        var layer = new MaxPoolLayer(1, node, Context(model, threads));
        var tape = new ShardTape(model, new TapePlan(model.Nodes), samples);
        tape.Begin(new SampleBatch(new float[samples * model.Input.Elements], new int[samples], samples), 0, []);
        var draws = new Philox(6, DrawPurpose.Probe);
        var (x, g) = (tape.Output(0), tape.OutputGradient(1));
        for (var i = 0; i < x.Length; i++)
            x.Span[i] = draws.NextBelow(5);
        for (var i = 0; i < samples * node.Out.Elements; i++)
            g.Span[i] = draws.NextBelow(100);

        layer.Forward(tape);
        var y = tape.Output(1).ToArray();
        layer.Backward(tape);

        var dx = new float[samples * node.In.Elements];
        for (var o = 0; o < samples * node.Out.Elements; o++)
        {
            var (c, column) = (o % channels, o / channels % node.Out.Width);
            var (row, sample) = (o / channels / node.Out.Width % node.Out.Height, o / node.Out.Elements);
            var window =
                from i in Enumerable.Range(row * stride - padding, kernel)
                from j in Enumerable.Range(column * stride - padding, kernel)
                where i >= 0 && i < side && j >= 0 && j < side
                select ((sample * side + i) * side + j) * channels + c;
            var winner = window.MaxBy(place => x.Span[place]);
            Assert.Equal(x.Span[winner], y[o]);
            dx[winner] += g.Span[o];
        }

        Assert.Equal(dx, tape.InputGradient(1)[..dx.Length].ToArray());
    }

    [Fact]
    public void Softmax_cross_entropy_gives_loss_gradient_and_hits_with_the_lowest_class_on_ties()
    {
        float[] logits = [1, 2, 3, 3, 3, 1, 1000, 0, -1000, 5, 5, 5];
        var gradient = new float[12];
        var verdict = SoftmaxCrossEntropy.Judge(logits, [2, 0, 1, 1], 3, gradient);
        var expected = Math.Log(1 + Math.Exp(-1) + Math.Exp(-2)) + Math.Log(2 + Math.Exp(-2)) + 1000 + Math.Log(3);
        Assert.Equal(expected, verdict.LossSum, 1e-11);
        Assert.Equal(2, verdict.Top1);
        Assert.Equal(4, verdict.Top5);
        Assert.Equal(1 / (1 + Math.Exp(1) + Math.Exp(2)) / 4, gradient[0], 1e-7);
        Assert.Equal(0.25f, gradient[6]);
        Assert.Equal(-0.25f, gradient[7]);
        Assert.Equal((float)(-2.0 / 3 / 4), gradient[10]);
    }

    [Fact]
    public void Logits_that_are_not_finite_are_no_hit_and_spoil_the_loss()
    {
        var gradient = new float[4];
        var verdict = SoftmaxCrossEntropy.Judge([float.NaN, 0, float.PositiveInfinity, 0], [0, 0], 2, gradient);
        Assert.Equal(0, verdict.Top1);
        Assert.True(double.IsNaN(verdict.LossSum));
        Assert.All(gradient, g => Assert.Equal(0f, g));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void A_value_that_is_not_finite_is_found_wherever_it_lies(float value)
    {
        for (var length = 1; length < 40; length++)
        {
            var values = Enumerable.Repeat(float.MaxValue, length).ToArray();
            Assert.True(ElementLoops.AllFinite(values));
            for (var place = 0; place < length; place++)
            {
                values[place] = value;
                Assert.False(ElementLoops.AllFinite(values));
                values[place] = -0f;
            }
        }
    }

    [Fact]
    public void Relu_turns_all_that_is_not_above_zero_into_plus_zero()
    {
        float[] x = [1, -1, 0, -0f, float.NaN, float.PositiveInfinity, 2, 3, 4, -5];
        var y = new float[x.Length];
        ElementLoops.Relu(x, y);
        Assert.Equal([1, 0, 0, 0, 0, float.PositiveInfinity, 2, 3, 4, 0], y);
        Assert.DoesNotContain(y, float.IsNegative);
        var g = Enumerable.Repeat(1f, x.Length).ToArray();
        ElementLoops.ReluGradient(y, g);
        Assert.Equal([1, 0, 0, 0, 0, 1, 1, 1, 1, 0], g);
    }

    private static LayerContext Context(ModelDescription model, ComputeThreads threads) =>
        new(ParameterInitialization.Draw(model, 1), ParameterInitialization.Statistics(model), ConvolutionKernels.Best, threads);

    private static double Distance(float[] values, double[] expected)
    {
        var difference = values.Zip(expected, (v, e) => (v - e) * (v - e)).Sum();
        return Math.Sqrt(difference / expected.Sum(e => e * e));
    }

    /// <summary>One batch norm behind a 1x1 convolution, whose output the test writes itself.</summary>
    private sealed class NormBench : IDisposable
    {
        private readonly ComputeThreads threads = new(3);
        private readonly LayerContext context;
        private readonly int length;

        public NormBench(int channels, int side, int samples)
        {
            var input = new InputShape(side, side, 1);
            var build = new ModelBuilder("net", input);
            build.Convolution("conv", LayerMethod.Conv, channels, 1, WeightStart.UniformFanIn);
            build.BatchNorm("bn");
            Model = build.Build();
            length = samples * side * side * channels;
            context = Context(Model, threads);
            var (parameters, statistics) = (Model.Layout.Parameters, Model.Layout.Statistics);
            var draws = new Philox(4, DrawPurpose.Probe);
            for (var i = parameters[1].Tensor.Offset; i < Model.Layout.ParameterLength; i++)
                context.Parameters[i] = (float)draws.NextNormal();
            Norm = new BatchNormLayer(
                1, (BatchNormNode)Model.Nodes[1], new TapePlan(Model.Nodes).Tails[1]!, parameters[1].Tensor, parameters[2].Tensor, statistics[0], statistics[1], context);
            Tape = new ShardTape(Model, new TapePlan(Model.Nodes), samples);
            Tape.Begin(
                new SampleBatch(new float[samples * input.Elements], new int[samples], samples), 0, new float[Model.Layout.ReductionLength]);
        }

        public ModelDescription Model { get; }

        public BatchNormLayer Norm { get; }

        public ShardTape Tape { get; }

        public float Scale(int channel) => context.Parameters[Model.Layout.Parameters[1].Tensor.Offset + channel];

        public float Shift(int channel) => context.Parameters[Model.Layout.Parameters[2].Tensor.Offset + channel];

        public float[] Draw(uint item, double mean, double deviation)
        {
            var draws = new Philox(5, DrawPurpose.Probe, item);
            var values = new float[length];
            for (var i = 0; i < length; i++)
                values[i] = (float)(mean + deviation * draws.NextNormal());
            return values;
        }

        public void Dispose() => threads.Dispose();
    }
}
