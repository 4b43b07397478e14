using AdderNet.Core.Configuration;

namespace AdderNet.Core.Models;

/// <summary>Adds stages of residual blocks: basic (3x3, 3x3) or bottleneck (1x1, 3x3, 1x1 to four times the width).</summary>
internal sealed class ResidualStages(ModelBuilder build, LayerMethod method, WeightStart start, bool bottleneck)
{
    private const int BottleneckExpansion = 4;

    /// <summary>
    /// Where a block's last gamma starts when inputs have one bit. At 1 the straight-through gradient grows from block to
    /// block on its way back (ResNet-50: 1e5 times the weights' norm at the stem) and nothing is learned; a small one lets
    /// a block begin as nearly its shortcut (Goyal et al., 2017, section 5.1, start it at 0).
    /// </summary>
    private const float OneBitBodyScale = 1 / 16f;

    /// <summary>Adds a stage; its first block carries the stride and, where the shape changes, the downsampling shortcut.</summary>
    /// <param name="stage">Prefix of its names.</param>
    /// <param name="width">Filters of a block's first layer.</param>
    /// <param name="blocks">Number of blocks.</param>
    /// <param name="stride">Stride of the first one.</param>
    /// <param name="last">No other stage follows: a real-valued layer reads this one.</param>
    public void Add(string stage, int width, int blocks, int stride, bool last = false)
    {
        for (var i = 0; i < blocks; i++)
            AddBlock($"{stage}.{i}", width, i == 0 ? stride : 1, last && i == blocks - 1);
    }

    private void AddBlock(string block, int width, int stride, bool last)
    {
        var input = build.Last;
        var outputs = bottleneck ? width * BottleneckExpansion : width;
        if (bottleneck)
        {
            Layer($"{block}.conv1", width, 1, 1);
            LayerTail.Add(build, $"{block}.bn1", $"{block}.relu1", next: method);
            Layer($"{block}.conv2", width, 3, stride);
            LayerTail.Add(build, $"{block}.bn2", $"{block}.relu2", next: method);
            Layer($"{block}.conv3", outputs, 1, 1);
            build.BatchNorm($"{block}.bn3", BodyScale);
        }
        else
        {
            Layer($"{block}.conv1", width, 3, stride);
            LayerTail.Add(build, $"{block}.bn1", $"{block}.relu1", next: method);
            Layer($"{block}.conv2", width, 3, 1);
            build.BatchNorm($"{block}.bn2", BodyScale);
        }

        var body = build.Last;
        var shortcut = input;
        if (stride != 1 || build.Shape(input).Channels != outputs)
        {
            build.Convolution($"{block}.downsample.0", method, outputs, 1, start, stride, from: input);
            shortcut = build.BatchNorm($"{block}.downsample.1");
        }

        build.Join($"{block}.join", body, shortcut);
        // Before an xnor layer signs take the ReLU's place.
        if (last || method != LayerMethod.Xnor)
            build.Relu($"{block}.relu");
    }

    private float BodyScale => method is LayerMethod.DoReFa or LayerMethod.Xnor ? OneBitBodyScale : 1;

    private void Layer(string convolution, int filters, int kernel, int stride) =>
        build.Convolution(convolution, method, filters, kernel, start, stride, padding: kernel / 2);
}
