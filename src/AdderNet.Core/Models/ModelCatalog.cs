using AdderNet.Core.Configuration;
using AdderNet.Core.Data;

namespace AdderNet.Core.Models;

/// <summary>
/// The models that can be named. Names and shapes are the state dict of the authors' released code: the first convolution
/// and the final classifier of the ResNets and of VGG-small stay multiplying (of LeNet-5 with binary methods only), a batch norm follows the classifier, and
/// downsampling shortcuts are layers of the chosen method with a batch norm.
/// </summary>
public static class ModelCatalog
{
    /// <summary>Describes a model for images of a shape.</summary>
    /// <exception cref="InvalidDescriptionException">The images are too small.</exception>
    public static ModelDescription Describe(ModelOptions options, InputShape input)
    {
        var build = new ModelBuilder(Spelling.Of(options.Name), input);
        try
        {
            switch (options.Name)
            {
                case ModelName.LeNet5:
                    LeNet5(build, options);
                    break;
                case ModelName.VggSmall:
                    VggSmall(build, options);
                    break;
                case ModelName.ResNet20:
                    CifarResNet(build, options, blocks: 3);
                    break;
                case ModelName.ResNet32:
                    CifarResNet(build, options, blocks: 5);
                    break;
                case ModelName.ResNet18:
                    ImageNetResNet(build, options, [2, 2, 2, 2], bottleneck: false);
                    break;
                case ModelName.ResNet50:
                    ImageNetResNet(build, options, [3, 4, 6, 3], bottleneck: true);
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(options), options.Name, "Not a model.");
            }
        }
        catch (ArgumentException tooSmall) when (tooSmall is not ArgumentOutOfRangeException)
        {
            throw InvalidDescriptionException.OfKey(
                "run description", "data.image_size", $"{input.Height}", $"is too small ({tooSmall.Message})", "data.image_size: 224");
        }

        return build.Build();
    }

    /// <summary>LeNet-5 with a batch norm after every layer; with a binary method the first and the last layer multiply.</summary>
    private static void LeNet5(ModelBuilder build, ModelOptions options)
    {
        var (method, start) = (options.Method, StartOf(options.Method, WeightStart.UniformFanIn));
        var edge = method == LayerMethod.Adder ? LayerMethod.Adder : LayerMethod.Conv;
        build.Convolution("conv1", edge, 6, 5, start, padding: 2);
        LayerTail.Add(build, "bn1", "relu1", next: method, new PoolWindow("pool1", 2, 2));
        build.Convolution("conv2", method, 16, 5, start);
        LayerTail.Add(build, "bn2", "relu2", next: method, new PoolWindow("pool2", 2, 2));
        build.Linear("fc1", method, 120, start);
        LayerTail.Add(build, "bn3", "relu3", next: method);
        build.Linear("fc2", method, 84, start);
        LayerTail.Add(build, "bn4", "relu4", next: edge);
        build.Linear("fc3", edge, options.Classes, start);
        build.BatchNorm("bn5");
    }

    /// <summary>128-128-pool-256-256-pool-512-512-pool and a fully connected classifier, the binary-network literature's VGG-small.</summary>
    private static void VggSmall(ModelBuilder build, ModelOptions options)
    {
        var start = StartOf(options.Method, WeightStart.UniformFanIn);
        int[] widths = [128, 128, 256, 256, 512, 512];
        for (var i = 0; i < widths.Length; i++)
        {
            if (i == 0)
                build.Convolution("conv1", LayerMethod.Conv, widths[i], 3, WeightStart.UniformFanIn, padding: 1);
            else
                build.Convolution($"conv{i + 1}", options.Method, widths[i], 3, start, padding: 1);
            LayerTail.Add(
                build, $"bn{i + 1}", $"relu{i + 1}", next: i + 1 < widths.Length ? options.Method : LayerMethod.Conv,
                i % 2 == 1 ? new PoolWindow($"pool{i / 2 + 1}", 2, 2) : null);
        }

        build.Linear("fc", LayerMethod.Conv, options.Classes, WeightStart.UniformFanIn);
        build.BatchNorm("bn7");
    }

    /// <summary>ResNet-20 and -32: three stages of 16, 32 and 64 filters.</summary>
    private static void CifarResNet(ModelBuilder build, ModelOptions options, int blocks)
    {
        build.Convolution("conv1", LayerMethod.Conv, 16, 3, WeightStart.UniformFanIn, padding: 1);
        LayerTail.Add(build, "bn1", "relu1", next: options.Method);
        var stage = new ResidualStages(build, options.Method, StartOf(options.Method, WeightStart.UniformFanIn), bottleneck: false);
        stage.Add("layer1", 16, blocks, stride: 1);
        stage.Add("layer2", 32, blocks, stride: 2);
        stage.Add("layer3", 64, blocks, stride: 2, last: true);
        build.GlobalAveragePool("avgpool");
        build.Convolution("fc", LayerMethod.Conv, options.Classes, 1, WeightStart.UniformFanIn);
        build.BatchNorm("bn2");
    }

    /// <summary>ResNet-18 and -50: a 7x7 stem and four stages of 64 to 512 filters; the classifier has a bias.</summary>
    private static void ImageNetResNet(ModelBuilder build, ModelOptions options, int[] blocks, bool bottleneck)
    {
        build.Convolution("conv1", LayerMethod.Conv, 64, 7, WeightStart.KaimingFanOut, stride: 2, padding: 3);
        LayerTail.Add(build, "bn1", "relu1", next: options.Method, new PoolWindow("maxpool", 3, 2, Padding: 1));
        var stage = new ResidualStages(build, options.Method, StartOf(options.Method, WeightStart.KaimingFanOut), bottleneck);
        for (var i = 0; i < blocks.Length; i++)
            stage.Add($"layer{i + 1}", 64 << i, blocks[i], stride: i == 0 ? 1 : 2, last: i == blocks.Length - 1);
        build.GlobalAveragePool("avgpool");
        build.Convolution("fc", LayerMethod.Conv, options.Classes, 1, WeightStart.KaimingFanOut, bias: true);
        build.BatchNorm("bn2");
    }

    private static WeightStart StartOf(LayerMethod method, WeightStart otherwise) =>
        method == LayerMethod.Adder ? WeightStart.StandardNormal : otherwise;
}
