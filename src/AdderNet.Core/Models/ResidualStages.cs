using AdderNet.Core.Configuration;

namespace AdderNet.Core.Models;

/// <summary>Adds stages of residual blocks: basic (3x3, 3x3) or bottleneck (1x1, 3x3, 1x1 to four times the width).</summary>
internal sealed class ResidualStages(ModelBuilder build, LayerMethod method, WeightStart start, bool bottleneck)
{
    private const int BottleneckExpansion = 4;

    /// <summary>Adds a stage; its first block carries the stride and, where the shape changes, the downsampling shortcut.</summary>
    public void Add(string stage, int width, int blocks, int stride)
    {
        for (var i = 0; i < blocks; i++)
            AddBlock($"{stage}.{i}", width, i == 0 ? stride : 1);
    }

    private void AddBlock(string block, int width, int stride)
    {
        var input = build.Last;
        var outputs = bottleneck ? width * BottleneckExpansion : width;
        if (bottleneck)
        {
            Layer($"{block}.conv1", $"{block}.bn1", width, 1, 1);
            build.Relu($"{block}.relu1");
            Layer($"{block}.conv2", $"{block}.bn2", width, 3, stride);
            build.Relu($"{block}.relu2");
            Layer($"{block}.conv3", $"{block}.bn3", outputs, 1, 1);
        }
        else
        {
            Layer($"{block}.conv1", $"{block}.bn1", width, 3, stride);
            build.Relu($"{block}.relu1");
            Layer($"{block}.conv2", $"{block}.bn2", width, 3, 1);
        }

        var body = build.Last;
        var shortcut = input;
        if (stride != 1 || build.Shape(input).Channels != outputs)
        {
            build.Convolution($"{block}.downsample.0", method, outputs, 1, start, stride, from: input);
            shortcut = build.BatchNorm($"{block}.downsample.1");
        }

        build.Join($"{block}.join", body, shortcut);
        build.Relu($"{block}.relu");
    }

    private void Layer(string convolution, string norm, int filters, int kernel, int stride)
    {
        build.Convolution(convolution, method, filters, kernel, start, stride, padding: kernel / 2);
        build.BatchNorm(norm);
    }
}
