using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Engine;
using AdderNet.Core.Models;
using Xunit;

namespace AdderNet.Core.Tests.Models;

public sealed class ModelCatalogTest
{
    private static readonly InputShape Mnist = new(28, 28, 1);
    private static readonly InputShape Cifar = new(32, 32, 3);
    private static readonly InputShape ImageNet = new(224, 224, 3);

    /// <summary>
    /// The well-known sizes of the multiplying networks (torchvision's 25,557,032 and 11,689,512; 269,722 and 464,154 for the
    /// CIFAR networks with parameter-free shortcuts and a biased classifier), with the released code's differences: a batch
    /// norm after the classifier, and on CIFAR downsampling layers but no bias.
    /// </summary>
    [Theory]
    [InlineData(ModelName.ResNet50, 1000, 25_557_032 + 2 * 1000)]
    [InlineData(ModelName.ResNet18, 1000, 11_689_512 + 2 * 1000)]
    [InlineData(ModelName.ResNet20, 10, 269_722 - 10 + 2 * 10 + (16 * 32 + 64) + (32 * 64 + 128))]
    [InlineData(ModelName.ResNet32, 10, 464_154 - 10 + 2 * 10 + (16 * 32 + 64) + (32 * 64 + 128))]
    [InlineData(ModelName.LeNet5, 10, 150 + 2400 + 48_000 + 10_080 + 840 + 2 * (6 + 16 + 120 + 84 + 10))]
    [InlineData(ModelName.VggSmall, 10, 9 * (3 * 128 + 128 * 128 + 128 * 256 + 256 * 256 + 256 * 512 + 512 * 512) + 8192 * 10 + 2 * (2 * (128 + 256 + 512) + 10))]
    public void Models_have_the_published_number_of_parameters(ModelName name, int classes, int parameters)
    {
        foreach (var method in new[] { LayerMethod.Adder, LayerMethod.Conv })
            Assert.Equal(parameters, Describe(name, method, classes).Layout.ParameterLength);
    }

    [Fact]
    public void LeNet_has_the_state_dict_of_the_design()
    {
        string[] expected =
        [
            "conv1.adder [6,1,5,5]", "bn1.weight [6]", "bn1.bias [6]", "conv2.adder [16,6,5,5]", "bn2.weight [16]", "bn2.bias [16]",
            "fc1.adder [120,400]", "bn3.weight [120]", "bn3.bias [120]", "fc2.adder [84,120]", "bn4.weight [84]", "bn4.bias [84]",
            "fc3.adder [10,84]", "bn5.weight [10]", "bn5.bias [10]",
        ];
        Assert.Equal(expected, Describe(ModelName.LeNet5, LayerMethod.Adder).Layout.Parameters.Select(p => Form(p.Tensor)));
        var conv = Describe(ModelName.LeNet5, LayerMethod.Conv).Layout.Parameters;
        Assert.Equal(expected.Select(e => e.Replace(".adder", ".weight", StringComparison.Ordinal)), conv.Select(p => Form(p.Tensor)));
        Assert.DoesNotContain(conv, p => p.Kind == ParameterKind.AdderFilter);
    }

    [Fact]
    public void ResNet_20_begins_and_ends_multiplying_and_downsamples_by_adder_layers()
    {
        var layout = Describe(ModelName.ResNet20, LayerMethod.Adder).Layout;
        var forms = layout.Parameters.Select(p => Form(p.Tensor)).ToList();
        Assert.Equal(["conv1.weight [16,3,3,3]", "bn1.weight [16]", "bn1.bias [16]", "layer1.0.conv1.adder [16,16,3,3]"], forms[..4]);
        Assert.Equal(["fc.weight [10,64,1,1]", "bn2.weight [10]", "bn2.bias [10]"], forms[^3..]);
        var block = forms.FindIndex(f => f.StartsWith("layer2.0.", StringComparison.Ordinal));
        Assert.Equal(
            [
                "layer2.0.conv1.adder [32,16,3,3]", "layer2.0.bn1.weight [32]", "layer2.0.bn1.bias [32]",
                "layer2.0.conv2.adder [32,32,3,3]", "layer2.0.bn2.weight [32]", "layer2.0.bn2.bias [32]",
                "layer2.0.downsample.0.adder [32,16,1,1]", "layer2.0.downsample.1.weight [32]", "layer2.0.downsample.1.bias [32]",
            ],
            forms[block..(block + 9)]);
        Assert.Equal(18 + 2, layout.Parameters.Count(p => p.Kind == ParameterKind.AdderFilter));
        Assert.Contains(layout.Statistics, s => s.Name == "layer1.0.bn1.running_mean");
        Assert.DoesNotContain(forms, f => f.StartsWith("layer1.0.downsample", StringComparison.Ordinal));
    }

    [Fact]
    public void ResNet_50_strides_in_its_3x3_layers_and_has_a_biased_classifier()
    {
        var model = Describe(ModelName.ResNet50, LayerMethod.Adder, 1000);
        var forms = model.Layout.Parameters.Select(p => Form(p.Tensor)).ToList();
        Assert.Equal("conv1.weight [64,3,7,7]", forms[0]);
        Assert.Equal(["fc.weight [1000,2048,1,1]", "fc.bias [1000]", "bn2.weight [1000]", "bn2.bias [1000]"], forms[^4..]);
        Assert.Contains("layer1.0.downsample.0.adder [256,64,1,1]", forms);
        Assert.Contains("layer4.2.conv3.adder [2048,512,1,1]", forms);
        var strided = model.Nodes.OfType<ConvolutionNode>().Where(n => n.Stride == 2).Select(n => n.Name);
        Assert.Equal(
            ["conv1", "layer2.0.conv2", "layer2.0.downsample.0", "layer3.0.conv2", "layer3.0.downsample.0", "layer4.0.conv2", "layer4.0.downsample.0"],
            strided);
        Assert.Equal(new MapShape(7, 7, 2048), model.Nodes.OfType<GlobalAveragePoolNode>().Single().In);
    }

    [Theory]
    [InlineData(LayerMethod.Binary)]
    [InlineData(LayerMethod.DoReFa)]
    [InlineData(LayerMethod.Xnor)]
    public void Binary_methods_have_the_tensors_of_conv_and_a_real_valued_first_and_last_layer(LayerMethod method)
    {
        foreach (var name in Enum.GetValues<ModelName>())
        {
            var (binary, conv) = (Describe(name, method), Describe(name, LayerMethod.Conv));
            Assert.Equal(conv.Layout.Parameters.Select(p => Form(p.Tensor)), binary.Layout.Parameters.Select(p => Form(p.Tensor)));
            Assert.Equal(conv.Layout.Statistics.Select(Form), binary.Layout.Statistics.Select(Form));
            var methods = binary.Nodes.OfType<ConvolutionNode>().Select(n => n.Method).ToList();
            Assert.Equal((LayerMethod.Conv, LayerMethod.Conv), (methods[0], methods[^1]));
            Assert.All(methods[1..^1], m => Assert.Equal(method, m));
        }
    }

    [Fact]
    public void No_xnor_layer_reads_a_relu_whose_signs_would_all_be_positive()
    {
        foreach (var name in Enum.GetValues<ModelName>())
        {
            var model = Describe(name, LayerMethod.Xnor);
            foreach (var layer in model.Nodes.OfType<ConvolutionNode>().Where(n => n.Method == LayerMethod.Xnor))
                Assert.True(model.Nodes[layer.Input] is BatchNormNode or JoinNode, $"{layer.Name} of {name} reads {model.Nodes[layer.Input]}");
            Assert.Contains(model.Nodes, node => node is ReluNode);
        }
    }

    [Fact]
    public void Images_that_vanish_on_the_way_are_refused()
    {
        var fault = Assert.Throws<InvalidDescriptionException>(
            () => ModelCatalog.Describe(new ModelOptions { Name = ModelName.LeNet5 }, new InputShape(8, 8, 1)));
        Assert.Contains("conv2", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_layout_is_gapless_and_its_names_are_unique()
    {
        foreach (var name in Enum.GetValues<ModelName>())
        {
            var layout = Describe(name, LayerMethod.Adder).Layout;
            foreach (var slots in new[] { layout.Parameters.Select(p => p.Tensor).ToList(), layout.Statistics.ToList() })
            {
                var next = 0;
                foreach (var slot in slots)
                {
                    Assert.Equal(next, slot.Offset);
                    Assert.Equal(slot.Shape.Aggregate(1, (a, b) => a * b), slot.Length);
                    next += slot.Length;
                }
            }

            var names = layout.Parameters.Select(p => p.Tensor.Name).Concat(layout.Statistics.Select(s => s.Name)).ToList();
            Assert.Equal(names.Count, names.Distinct().Count());
        }
    }

    private static ModelDescription Describe(ModelName name, LayerMethod method, int classes = 10)
    {
        var input = name switch
        {
            ModelName.LeNet5 => Mnist,
            ModelName.ResNet18 or ModelName.ResNet50 => ImageNet,
            _ => Cifar,
        };
        return ModelCatalog.Describe(new ModelOptions { Name = name, Method = method, Classes = classes }, input);
    }

    private static string Form(TensorSlot slot) => $"{slot.Name} [{string.Join(',', slot.Shape)}]";
}
