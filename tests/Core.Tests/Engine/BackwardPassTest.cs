using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Engine;
using AdderNet.Core.Models;
using AdderNet.Core.Numerics;
using Xunit;
using static AdderNet.Core.Tests.Engine.TrainingBench;

namespace AdderNet.Core.Tests.Engine;

/// <summary>
/// The whole backward pass against differences of the loss, along directions that touch one tensor. Multiplying layers and
/// the sign gradient (eq. 4) are derivatives; the paper's eq. 5 is not, and must fail.
/// </summary>
public sealed class BackwardPassTest
{
    private static readonly InputShape Small = new(8, 8, 3);

    [Theory]
    [InlineData(false, Normalization.Shard)]
    [InlineData(true, Normalization.Shard)]
    [InlineData(false, Normalization.Global)]
    public async Task Gradients_of_a_multiplying_residual_model_are_derivatives_of_its_loss(bool bottleneck, Normalization normalization)
    {
        var description = Description(LayerMethod.Conv, GradientKind.Full) with
        {
            Batch = new BatchOptions { Global = 8, Shards = 2, Normalization = normalization },
        };
        using var replica = ManagedReplica.Create(description, Describe(LayerMethod.Conv, bottleneck), 5, 1);
        foreach (var (name, gradient, difference) in await SlopesAsync(replica, description, _ => true))
            Assert.True(Close(gradient, difference), $"{name}: gradient {gradient}, difference {difference}");
    }

    [Fact]
    public async Task The_sign_gradient_of_adder_filters_is_a_derivative_and_the_full_precision_one_is_not()
    {
        // Only the last adder layer: before it, eq. 6-7 stand in for the derivative.
        static bool Last(string name) => name is "layer1.0.conv2.adder" or "layer1.0.downsample.0.adder";

        var sign = Description(LayerMethod.Adder, GradientKind.Sign);
        using var one = ManagedReplica.Create(sign, Describe(LayerMethod.Adder, bottleneck: false), 5, 1);
        foreach (var (name, gradient, difference) in await SlopesAsync(one, sign, Last))
            Assert.True(Close(gradient, difference), $"{name}: gradient {gradient}, difference {difference}");

        var full = Description(LayerMethod.Adder, GradientKind.Full);
        using var other = ManagedReplica.Create(full, Describe(LayerMethod.Adder, bottleneck: false), 5, 1);
        foreach (var (name, gradient, difference) in await SlopesAsync(other, full, Last))
            Assert.False(Close(gradient, difference), $"{name}: gradient {gradient}, difference {difference}");
    }

    private static bool Close(double gradient, double difference) =>
        Math.Abs(gradient - difference) <= 2e-3 + 0.03 * Math.Abs(difference);

    private static RunDescription Description(LayerMethod method, GradientKind kind) => new()
    {
        Model = new ModelOptions { Name = ModelName.ResNet20, Method = method, Classes = 5 },
        Data = new DataOptions { Format = DataFormat.Synthetic },
        Batch = new BatchOptions { Global = 8, Shards = 1 },
        Gradient = new GradientOptions { Kind = kind },
        Seed = 3,
    };

    private static ModelDescription Describe(LayerMethod method, bool bottleneck)
    {
        var build = new ModelBuilder("small", Small);
        var start = method == LayerMethod.Adder ? WeightStart.StandardNormal : WeightStart.KaimingFanOut;
        build.Convolution("conv1", LayerMethod.Conv, 8, 3, WeightStart.KaimingFanOut, padding: 1);
        build.BatchNorm("bn1");
        build.Relu("relu1");
        build.MaxPool("maxpool", 3, 2, padding: 1);
        var stages = new ResidualStages(build, method, start, bottleneck);
        if (method == LayerMethod.Conv)
            stages.Add("layer0", bottleneck ? 2 : 8, 2, stride: 1);
        stages.Add("layer1", 6, 1, stride: 2);
        build.GlobalAveragePool("avgpool");
        build.Convolution("fc", LayerMethod.Conv, 5, 1, WeightStart.KaimingFanOut, bias: true);
        build.BatchNorm("bn2");
        return build.Build();
    }

    private static async Task<List<(string Name, double Gradient, double Difference)>> SlopesAsync(
        ManagedReplica replica, RunDescription description, Func<string, bool> include)
    {
        var state = replica.Export();
        var mean = (await ComputeAsync(replica, description)).Mean;
        var slopes = new List<(string, double, double)>();
        foreach (var slot in replica.Layout.Parameters.Select(p => p.Tensor).Where(t => include(t.Name)))
        {
            // The gradient's own direction blended with noise: steep enough to measure, and not blind to wrong elements.
            var direction = Direction(slot, mean);
            var slope = 0.0;
            for (var i = 0; i < slot.Length; i++)
                slope += direction[i] * mean[slot.Offset + i];
            // Short enough that few ReLUs flip on the way, long enough that float32 losses tell the difference.
            const double step = 4e-4;
            var difference = (await LossAsync(step) - await LossAsync(-step)) / (2 * step);
            slopes.Add((slot.Name, slope, difference));

            async Task<double> LossAsync(double by)
            {
                var moved = (float[])state.Parameters.Clone();
                for (var i = 0; i < slot.Length; i++)
                    moved[slot.Offset + i] += (float)(by * direction[i]);
                replica.Import(state with { Parameters = moved });
                return (await ComputeAsync(replica, description)).Mean[^1];
            }
        }

        return slopes;
    }

    private static double[] Direction(TensorSlot slot, float[] mean)
    {
        var draws = new Philox(11, DrawPurpose.Probe, (uint)slot.Offset);
        var gradient = Unit(Enumerable.Range(slot.Offset, slot.Length).Select(i => (double)mean[i]));
        var noise = Unit(Enumerable.Range(0, slot.Length).Select(_ => draws.NextNormal()));
        return Unit(gradient.Zip(noise, (a, b) => a + b));
    }

    private static double[] Unit(IEnumerable<double> values)
    {
        var all = values.ToArray();
        var length = Math.Sqrt(all.Sum(v => v * v));
        return length == 0 ? all : [.. all.Select(v => v / length)];
    }
}
