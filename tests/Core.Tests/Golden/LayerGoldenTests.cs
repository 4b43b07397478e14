using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Engine;
using AdderNet.Core.Kernels;
using AdderNet.Core.Layers;
using AdderNet.Core.Models;
using Xunit;
using Xunit.Abstractions;

namespace AdderNet.Core.Tests.Golden;

/// <summary>Batch norm, ReLU, pooling and loss against the float64 oracle, float32 PyTorch's own distance printed beside.</summary>
public class LayerGoldenTests(ITestOutputHelper output)
{
    private static readonly ModelOptions Options = new() { Name = ModelName.LeNet5 };
    private readonly GoldenFile golden = GoldenFile.Open("layers");
    private readonly ComputeThreads threads = new(2);

    [Theory]
    [InlineData("norm_small")]
    [InlineData("norm_adder")]
    [InlineData("norm_flat")]
    public void Batch_norm_agrees_with_the_oracle_in_training_and_evaluation(string name)
    {
        var shape = golden.Shape($"{name}.x");
        var map = new MapShape(shape[2], shape[3], shape[1]);
        var model = new ModelDescription(Options, new InputShape(map.Height, map.Width, map.Channels), [new BatchNormNode("bn", ModelDescription.Images, map)]);
        float[] parameters = [.. golden.Floats($"{name}.gamma"), .. golden.Floats($"{name}.beta")];
        float[] statistics = [.. golden.Floats($"{name}.running_mean"), .. golden.Floats($"{name}.running_var")];
        var context = new LayerContext(parameters, statistics, ConvolutionKernels.Best, threads);
        var slots = model.Layout;
        var layer = new BatchNormLayer(
            0, (BatchNormNode)model.Nodes[0], new TapePlan(model.Nodes).Tails[0]!, slots.Parameters[0].Tensor, slots.Parameters[1].Tensor, slots.Statistics[0], slots.Statistics[1], context);
        var tape = Begin(model, name, shape);

        layer.Forward(tape);
        Check(name, "evaluated", tape.Output(0), shape);
        layer.Normalize(tape, layer.Moments(tape));
        Check(name, "y", tape.Output(0), shape);
        var reduction = tape.Reduction;
        Check(name, "mean", reduction[(2 * shape[1])..(3 * shape[1])]);
        Check(name, "variance", reduction[(3 * shape[1])..(4 * shape[1])]);

        Layout.ToChannelsLast(golden.Floats($"{name}.g"), shape[0], shape[1], shape[2] * shape[3]).CopyTo(tape.OutputGradient(0));
        layer.InputGradient(tape, layer.GradientSums(tape));
        Check(name, "dx", tape.OutputGradient(0), shape);
        Check(name, "dgamma", reduction[..shape[1]]);
        Check(name, "dbeta", reduction[shape[1]..(2 * shape[1])]);

        using var replica = ManagedReplica.Create(
            new RunDescription { Model = Options, Data = new DataOptions { Format = DataFormat.Synthetic }, Batch = new BatchOptions { Global = shape[0], Shards = 1 } },
            model, stepsPerEpoch: 1, threads: 1);
        replica.Import(new ReplicaState(0, parameters, new float[parameters.Length], statistics));
        replica.Apply(reduction, skip: false);
        var after = replica.Export().Statistics;
        Check(name, "running_mean_after", after[..shape[1]]);
        Check(name, "running_var_after", after[shape[1]..]);
    }

    [Fact]
    public void Relu_agrees_with_the_oracle_and_passes_no_gradient_at_zero()
    {
        var shape = golden.Shape("relu.x");
        var map = new MapShape(shape[2], shape[3], shape[1]);
        var (layers, tape) = Network("relu", shape, [new ReluNode("relu", ModelDescription.Images, map)]);
        var y = RunLast(layers, tape, "relu");
        Check("relu", "y", y, shape);
        Check("relu", "dx", tape.OutputGradient(0), shape);
    }

    [Theory]
    [InlineData("pool_2")]
    [InlineData("pool_3")]
    public void Max_pool_agrees_with_the_oracle_and_gives_a_tie_to_the_first(string name)
    {
        var shape = golden.Shape($"{name}.x");
        var g = golden.Integers($"{name}.geometry");
        var outputShape = golden.Shape($"{name}.y");
        var map = new MapShape(shape[2], shape[3], shape[1]);
        var (layers, tape) = Network(name, shape,
        [
            PassThrough(map),
            new MaxPoolNode("pool", 0, map, new MapShape(outputShape[2], outputShape[3], shape[1]), g[4], g[5], g[6]),
        ]);
        var y = RunLast(layers, tape, name);
        Check(name, "y", y, outputShape);
        Check(name, "dx", tape.InputGradient(1), shape);
    }

    [Fact]
    public void Global_average_pool_agrees_with_the_oracle()
    {
        var shape = golden.Shape("average.x");
        var map = new MapShape(shape[2], shape[3], shape[1]);
        var (layers, tape) = Network("average", shape, [PassThrough(map), new GlobalAveragePoolNode("average", 0, map)]);
        var y = RunLast(layers, tape, "average");
        Check("average", "y", y);
        Check("average", "dx", tape.InputGradient(1), shape);
    }

    [Theory]
    [InlineData("loss_small")]
    [InlineData("loss_large")]
    public void Softmax_cross_entropy_agrees_with_the_oracle(string name)
    {
        var (logits, labels) = (golden.Floats($"{name}.logits"), golden.Integers($"{name}.labels"));
        var gradient = new float[logits.Length];
        var verdict = SoftmaxCrossEntropy.Judge(logits, labels, logits.Length / labels.Length, gradient);
        Check(name, "loss", [(float)(verdict.LossSum / labels.Length)]);
        Check(name, "dlogits", gradient);
    }

    /// <summary>A node that only copies, so that the next one has an input whose gradient is wanted.</summary>
    private static MaxPoolNode PassThrough(MapShape map) => new("copy", ModelDescription.Images, map, map, 1, 1, 0);

    private (List<LocalLayer> Layers, ShardTape Tape) Network(string name, int[] shape, IReadOnlyList<ModelNode> nodes)
    {
        var model = new ModelDescription(Options, new InputShape(shape[2], shape[3], shape[1]), nodes);
        var context = new LayerContext([], [], ConvolutionKernels.Best, threads);
        var layers = nodes.Select((node, i) => (LocalLayer)(node switch
        {
            ReluNode relu => new ReluLayer(i, relu, context),
            MaxPoolNode pool => new MaxPoolLayer(i, pool, context),
            var pool => new GlobalAveragePoolLayer(i, (GlobalAveragePoolNode)pool, context),
        })).ToList();
        return (layers, Begin(model, name, shape));
    }

    private ShardTape Begin(ModelDescription model, string name, int[] shape)
    {
        var tape = new ShardTape(model, new TapePlan(model.Nodes), shape[0]);
        var x = Layout.ToChannelsLast(golden.Floats($"{name}.x"), shape[0], shape[1], shape[2] * shape[3]);
        tape.Begin(new SampleBatch(x, new int[shape[0]], shape[0]), shard: 0, new float[model.Layout.ReductionLength]);
        return tape;
    }

    /// <summary>Runs all layers forward and the last one backward; its output is returned, since backward passes may reuse its buffer.</summary>
    private float[] RunLast(List<LocalLayer> layers, ShardTape tape, string name)
    {
        foreach (var layer in layers)
            layer.Forward(tape);
        var y = tape.Output(layers.Count - 1).ToArray();
        var shape = golden.Shape($"{name}.g");
        Layout.ToChannelsLast(golden.Floats($"{name}.g"), shape[0], shape[1], shape.Skip(2).Aggregate(1, (a, b) => a * b))
            .CopyTo(tape.OutputGradient(layers.Count - 1));
        layers[^1].Backward(tape);
        return y;
    }

    private void Check(string name, string result, ReadOnlyMemory<float> actual, int[] shape)
    {
        var length = shape.Aggregate(1, (a, b) => a * b);
        Check(name, result, Layout.ToChannelsFirst(actual[..length].ToArray(), shape[0], shape[1], shape[2] * shape[3]));
    }

    private void Check(string name, string result, float[] actual)
    {
        var expected = golden.Floats($"{name}.{result}");
        var distance = Distance.RelativeL2(actual.AsSpan(0, expected.Length), expected);
        var pytorch = golden.Doubles($"{name}.{result}.torch")[0];
        output.WriteLine($"{name} {result}: ours {distance:E2}, float32 PyTorch {pytorch:E2}");
        Assert.True(distance <= ConvolutionGoldenTests.Tolerance, $"{name} {result} is {distance:E2} from the oracle (float32 PyTorch: {pytorch:E2})");
    }
}
