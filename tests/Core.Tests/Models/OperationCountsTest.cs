using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Models;
using Xunit;

namespace AdderNet.Core.Tests.Models;

/// <summary>
/// Pairs of an input and a filter element, worked out by hand as side*side*T*C*kh*kw for each layer of a model; everything
/// else follows from them by the method.
/// </summary>
public sealed class OperationCountsTest
{
    // conv1 28*28*6*25, conv2 10*10*16*6*25, fc1 120*400, fc2 84*120, fc3 10*84. Every layer adds.
    private const long LeNetFirst = 117_600;
    private const long LeNetRest = 240_000 + 48_000 + 10_080 + 840;

    // conv1 32*32*128*3*9; conv2 32*32*128*128*9, which conv4 16*16*256*256*9 and conv6 8*8*512*512*9 equal (a quarter of the
    // pixels, four times the filters); conv3 and conv5 have half the inputs; fc 10*512*4*4.
    private const long VggFirst = 3_538_944;
    private const long VggAdder = 3 * 150_994_944L + 2 * 75_497_472L;
    private const long VggClassifier = 81_920;

    // conv1 32*32*16*3*9; a 3x3 layer 32*32*16*16*9, which 16*16*32*32*9 and 8*8*64*64*9 equal; the first layer of stages 2
    // and 3 has half the inputs; the shortcuts 16*16*32*16 and 8*8*64*32; fc 10*64. ResNet-n has (n-2)/3 3x3 layers a stage.
    private const long CifarFirst = 442_368;
    private const long CifarLayer = 2_359_296;
    private const long CifarShortcut = 131_072;
    private const long CifarClassifier = 640;

    // conv1 112*112*64*3*49; a 3x3 layer 56*56*64*64*9, the same in every stage; the first layer of stages 2 to 4 has half the
    // inputs; their shortcuts 28*28*128*64, the same in each; fc 1000*512.
    private const long StemFirst = 118_013_952;
    private const long BasicLayer = 115_605_504;
    private const long BasicShortcut = 6_422_528;

    // A bottleneck: 56*56*64*256 + 56*56*64*64*9 + 56*56*256*64, the same in every stage. Stage 1 begins with 64 instead of
    // 256 inputs (its first layer is a quarter) and a shortcut 56*56*256*64. Stages 2 to 4 begin with a 1x1 layer before the
    // stride (56*56*128*256, twice the usual) and a shortcut 28*28*512*256.
    private const long Narrow = 51_380_224;
    private const long Bottleneck = 2 * Narrow + BasicLayer;

    [Theory]
    [InlineData(ModelName.LeNet5, 0, 0, LeNetFirst + LeNetRest, 0)]
    [InlineData(ModelName.VggSmall, VggFirst, VggClassifier, VggAdder, 0)]
    [InlineData(ModelName.ResNet20, CifarFirst, CifarClassifier, 16 * CifarLayer + 2 * CifarLayer / 2, 2 * CifarShortcut)]
    [InlineData(ModelName.ResNet32, CifarFirst, CifarClassifier, 28 * CifarLayer + 2 * CifarLayer / 2, 2 * CifarShortcut)]
    [InlineData(ModelName.ResNet18, StemFirst, 512_000, 13 * BasicLayer + 3 * BasicLayer / 2, 3 * BasicShortcut)]
    [InlineData(ModelName.ResNet50, StemFirst, 2_048_000, 16 * Bottleneck - 3 * Narrow / 4 + 3 * Narrow, Narrow + 3 * 2 * Narrow)]
    public void Adder_models_add_twice_for_every_pair_except_in_multiplying_layers(
        ModelName name, long multiplyingFirst, long classifier, long adderBodies, long shortcuts)
    {
        var counts = Count(name, LayerMethod.Adder);
        var multiplying = multiplyingFirst + classifier;
        Assert.Equal(new OperationCount(2 * (adderBodies + shortcuts) + multiplying, multiplying, 0), counts.Sum(_ => true));
        Assert.Equal(new OperationCount(2 * shortcuts, 0, 0), counts.Sum(layer => layer.IsShortcut));
        Assert.Equal(new OperationCount(2 * (adderBodies + shortcuts + multiplying), 0, 0), counts.SumAs(LayerMethod.Adder, _ => true));
    }

    [Theory]
    [InlineData(ModelName.LeNet5, 833_040, 597_840)]
    [InlineData(ModelName.VggSmall, 1_215_201_280, 1_208_123_392)]
    [InlineData(ModelName.ResNet20, 81_626_368, 80_741_632)]
    [InlineData(ModelName.ResNet32, 138_249_472, 137_364_736)]
    [InlineData(ModelName.ResNet18, 3_628_146_688, 3_392_118_784)]
    [InlineData(ModelName.ResNet50, 8_178_368_512, 7_942_340_608)]
    public void With_and_without_the_first_convolution_the_totals_are_pinned(ModelName name, long all, long withoutFirst)
    {
        var adder = Count(name, LayerMethod.Adder);
        Assert.Equal(new OperationCount(all, 0, 0), adder.SumAs(LayerMethod.Adder, _ => true));
        Assert.Equal(new OperationCount(withoutFirst, 0, 0), adder.SumAs(LayerMethod.Adder, layer => !layer.IsFirst));

        // Half of it for each of multiplications and additions where everything multiplies.
        Assert.Equal(new OperationCount(all / 2, all / 2, 0), Count(name, LayerMethod.Conv).Sum(_ => true));
    }

    /// <summary>The count that the paper's 7.7G for ResNet-50 fits: He et al.'s network, which strides in the first 1x1 layer of a stage.</summary>
    [Fact]
    public void Striding_in_the_first_layer_of_a_stage_gives_the_papers_figure_for_ResNet_50()
    {
        var counts = Count(ModelName.ResNet50, LayerMethod.Adder);
        var spared = counts.Layers
            .Where(layer => layer.Name is "layer2.0.conv1" or "layer3.0.conv1" or "layer4.0.conv1")
            .Sum(layer => layer.Pairs - layer.Pairs / 4);
        Assert.Equal(7_715_946_496, counts.SumAs(LayerMethod.Adder, _ => true).Additions - 2 * spared);
    }

    [Theory]
    [InlineData(LayerMethod.Binary, false)]
    [InlineData(LayerMethod.DoReFa, true)]
    [InlineData(LayerMethod.Xnor, true)]
    public void Binary_methods_add_once_for_every_pair_and_XNOR_where_inputs_are_binary_too(LayerMethod method, bool xnors)
    {
        var counts = Count(ModelName.ResNet20, method);
        const long binary = 17 * CifarLayer + 2 * CifarShortcut;
        const long multiplying = CifarFirst + CifarClassifier;
        Assert.Equal(new OperationCount(binary + multiplying, multiplying, xnors ? binary : 0), counts.Sum(_ => true));
        const long all = binary + multiplying;
        Assert.Equal(new OperationCount(all, 0, xnors ? all : 0), counts.SumAs(method, _ => true));
        Assert.Equal(["layer2.0.downsample.0", "layer3.0.downsample.0"], counts.Layers.Where(layer => layer.IsShortcut).Select(layer => layer.Name));
    }

    [Theory]
    [InlineData(ModelName.LeNet5, 6_518)]
    [InlineData(ModelName.VggSmall, 2 * 131_072 + 2 * 65_536 + 2 * 32_768 + 10)]
    [InlineData(ModelName.ResNet20, 7 * 16_384 + (6 + 1) * 8_192 + (6 + 1) * 4_096 + 10)]
    public void Activations_are_the_outputs_of_convolutions_and_parameters_those_of_the_layout(ModelName name, long activations)
    {
        var counts = Count(name, LayerMethod.Adder);
        Assert.Equal(activations, counts.Activations);
        foreach (var model in Enum.GetValues<ModelName>())
            Assert.Equal(ModelCatalog.Describe(Options(model, LayerMethod.Adder), Input(model)).Layout.ParameterLength, Count(model, LayerMethod.Adder).Parameters);
    }

    private static OperationCounts Count(ModelName name, LayerMethod method) => OperationCounts.Of(Options(name, method), Input(name));

    private static ModelOptions Options(ModelName name, LayerMethod method) =>
        new() { Name = name, Method = method, Classes = name is ModelName.ResNet18 or ModelName.ResNet50 ? 1000 : 10 };

    private static InputShape Input(ModelName name) => name switch
    {
        ModelName.LeNet5 => new InputShape(28, 28, 1),
        ModelName.ResNet18 or ModelName.ResNet50 => new InputShape(224, 224, 3),
        _ => new InputShape(32, 32, 3),
    };
}
