using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Models;
using Xunit;

namespace AdderNet.Core.Tests.Models;

public sealed class ModelBuilderTest
{
    private readonly ModelBuilder build = new("mine", new InputShape(9, 9, 3));

    [Fact]
    public void A_model_of_ones_own_has_the_names_shapes_and_starts_that_were_asked_for()
    {
        build.Convolution("stem", LayerMethod.Conv, 4, 3, stride: 2, bias: true);
        var input = build.BatchNorm("norm");
        var body = build.Convolution("body", LayerMethod.Adder, 4, 1);
        build.Join("sum", body, input);
        build.Linear("head", LayerMethod.Adder, 5);
        var model = build.Build();

        Assert.Equal(
            ["stem.weight", "stem.bias", "norm.weight", "norm.bias", "body.adder", "head.adder"], model.Layout.Parameters.Select(p => p.Tensor.Name));
        Assert.Equal([5, 64], model.Layout.Parameters[^1].Tensor.Shape);
        Assert.Equal(("mine", 5, new MapShape(4, 4, 4)), (model.Name, model.Classes, build.Shape(input)));
        Assert.Equal(
            [WeightStart.UniformFanIn, WeightStart.StandardNormal, WeightStart.StandardNormal], model.Nodes.OfType<ConvolutionNode>().Select(n => n.Start));
    }

    [Fact]
    public void A_node_that_nothing_reads_is_refused_by_its_name()
    {
        build.Convolution("conv", LayerMethod.Adder, 4, 3);
        build.BatchNorm("lost");
        build.GlobalAveragePool("pool");
        build.Convolution("fc", LayerMethod.Adder, 4, 3, padding: 1, from: ModelDescription.Images);
        Assert.Contains("pool", Assert.Throws<InvalidOperationException>(build.Build).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(new ModelBuilder("empty", new InputShape(9, 9, 3)).Build);
    }

    [Fact]
    public void Layers_that_cannot_be_are_refused()
    {
        build.Convolution("conv", LayerMethod.Adder, 4, 3);
        Assert.Contains("conv", Assert.Throws<ArgumentException>(() => build.Relu("conv")).Message, StringComparison.Ordinal);
        Assert.Contains("bias", Assert.Throws<ArgumentException>(() => build.Convolution("a", LayerMethod.Adder, 4, 3, bias: true)).Message, StringComparison.Ordinal);
        Assert.Contains("side of 7", Assert.Throws<ArgumentException>(() => build.Convolution("b", LayerMethod.Adder, 4, 8)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => build.Join("c", build.Last, ModelDescription.Images));
        Assert.Throws<ArgumentOutOfRangeException>(() => build.Convolution("d", LayerMethod.Adder, 0, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => build.MaxPool("e", 3, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => build.MaxPool("f", 3, 2, padding: 2));
    }
}
