using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Engine;
using AdderNet.Core.Models;
using Xunit;

namespace AdderNet.Core.Tests.Models;

public sealed class ParameterInitializationTest
{
    private static readonly ModelDescription ResNet18 =
        ModelCatalog.Describe(new ModelOptions { Name = ModelName.ResNet18, Classes = 100 }, new InputShape(64, 64, 3));

    private readonly float[] drawn = ParameterInitialization.Draw(ResNet18, seed: 5);

    [Theory]
    [InlineData("layer1.0.conv1.adder", 1.0)]
    [InlineData("layer4.0.downsample.0.adder", 1.0)]
    public void Adder_filters_start_standard_normal(string name, double deviation) => AssertNormal(Tensor(name), deviation);

    [Fact]
    public void Multiplying_convolutions_of_ImageNet_models_start_Kaiming_normal_over_the_fan_out()
    {
        AssertNormal(Tensor("conv1.weight"), Math.Sqrt(2.0 / (64 * 49)));
        AssertNormal(Tensor("fc.weight"), Math.Sqrt(2.0 / 100));
    }

    [Fact]
    public void A_classifier_bias_and_other_multiplying_layers_start_uniform_over_the_fan_in()
    {
        AssertUniform(Tensor("fc.bias"), 1 / Math.Sqrt(512));
        var conv = ModelCatalog.Describe(new ModelOptions { Name = ModelName.LeNet5, Method = LayerMethod.Conv }, new InputShape(28, 28, 1));
        var weights = ParameterInitialization.Draw(conv, seed: 5);
        AssertUniform(Tensor("fc1.weight", conv, weights), 1 / Math.Sqrt(400));
    }

    [Fact]
    public void Batch_norms_start_as_the_identity()
    {
        Assert.All(Tensor("bn1.weight"), v => Assert.Equal(1f, v));
        Assert.All(Tensor("bn1.bias"), v => Assert.Equal(0f, v));
        var statistics = ParameterInitialization.Statistics(ResNet18);
        foreach (var slot in ResNet18.Layout.Statistics)
        {
            var expected = slot.Name.EndsWith("running_var", StringComparison.Ordinal) ? 1f : 0f;
            Assert.All(statistics[slot.Offset..(slot.Offset + slot.Length)], v => Assert.Equal(expected, v));
        }
    }

    [Theory]
    [InlineData(LayerMethod.Adder, 1f)]
    [InlineData(LayerMethod.Conv, 1f)]
    [InlineData(LayerMethod.Binary, 1f)]
    [InlineData(LayerMethod.DoReFa, 0.0625f)]
    [InlineData(LayerMethod.Xnor, 0.0625f)]
    public void Residual_blocks_begin_as_nearly_their_shortcut_where_inputs_have_one_bit(LayerMethod method, float scale)
    {
        var model = ModelCatalog.Describe(new ModelOptions { Name = ModelName.ResNet20, Method = method }, new InputShape(32, 32, 3));
        var values = ParameterInitialization.Draw(model, seed: 5);
        Assert.All(Tensor("layer2.0.bn1.weight", model, values), v => Assert.Equal(1f, v));
        Assert.All(Tensor("layer2.0.bn2.weight", model, values), v => Assert.Equal(scale, v));
        Assert.All(Tensor("layer2.0.downsample.1.weight", model, values), v => Assert.Equal(1f, v));
    }

    [Fact]
    public void The_seed_alone_decides_and_every_tensor_has_its_own_draws()
    {
        Assert.Equal(drawn, ParameterInitialization.Draw(ResNet18, seed: 5));
        Assert.NotEqual(drawn, ParameterInitialization.Draw(ResNet18, seed: 6));
        Assert.NotEqual(Tensor("layer1.0.conv1.adder"), Tensor("layer1.0.conv2.adder"));
    }

    private float[] Tensor(string name) => Tensor(name, ResNet18, drawn);

    private static float[] Tensor(string name, ModelDescription model, float[] values)
    {
        TensorSlot slot = model.Layout.Parameters.Single(p => p.Tensor.Name == name).Tensor;
        return values[slot.Offset..(slot.Offset + slot.Length)];
    }

    private static void AssertNormal(float[] values, double deviation)
    {
        var mean = values.Average(v => (double)v);
        var found = Math.Sqrt(values.Average(v => (double)v * v));
        Assert.InRange(mean / deviation * Math.Sqrt(values.Length), -4.5, 4.5);
        Assert.InRange(found / deviation, 1 - 4.5 / Math.Sqrt(2 * values.Length), 1 + 4.5 / Math.Sqrt(2 * values.Length));
        Assert.True(values.Max() > 2.5 * deviation);
    }

    private static void AssertUniform(float[] values, double bound)
    {
        Assert.InRange(values.Max(), 0.9 * bound, bound);
        Assert.InRange(values.Min(), -bound, -0.9 * bound);
        Assert.InRange(values.Average(v => (double)v * v) / (bound * bound / 3), 0.6, 1.4);
    }
}
