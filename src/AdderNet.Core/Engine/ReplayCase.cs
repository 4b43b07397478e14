using AdderNet.Core.Checkpoints;
using AdderNet.Core.Data;

namespace AdderNet.Core.Engine;

/// <summary>The images and labels of a replay case, one shard a step.</summary>
internal sealed class ReplayCase : IShardBatches
{
    private readonly float[] images;
    private readonly int[] labels;

    private ReplayCase(float[] images, int[] labels, int steps, int samples, InputShape input) =>
        (this.images, this.labels, Steps, Samples, Input) = (images, labels, steps, samples, input);

    /// <summary>Number of steps.</summary>
    public int Steps { get; }

    /// <summary>Samples of each step.</summary>
    public int Samples { get; }

    /// <summary>Shape of one image.</summary>
    public InputShape Input { get; }

    /// <summary>Reads <c>images</c> [steps, B, C, H, W] and <c>labels</c> [steps, B].</summary>
    /// <exception cref="TensorFileException">One is missing, of another shape, or a label is no class.</exception>
    public static ReplayCase Read(SafetensorsFile file, int classes)
    {
        var planes = file.ReadFloat32("images");
        var shape = file.Tensors["images"].Shape;
        if (shape.Count != 5 || planes.Length == 0)
            throw new TensorFileException(file.Source, $"tensor 'images' has shape [{string.Join(',', shape)}], not [steps, samples, channels, height, width]");
        var (steps, samples) = ((int)shape[0], (int)shape[1]);
        var input = new InputShape((int)shape[3], (int)shape[4], (int)shape[2]);
        var stored = file.ReadInt64("labels");
        var labelShape = file.Tensors["labels"].Shape;
        if (labelShape.Count != 2 || labelShape[0] != steps || labelShape[1] != samples)
            throw new TensorFileException(file.Source, $"tensor 'labels' has shape [{string.Join(',', labelShape)}], not [{steps},{samples}] as 'images' asks for");
        var wrong = Array.FindIndex(stored, label => label < 0 || label >= classes);
        if (wrong >= 0)
            throw new TensorFileException(file.Source, $"tensor 'labels' holds {stored[wrong]} at step {wrong / samples}, sample {wrong % samples}: model.classes is {classes}");
        return new ReplayCase(ChannelsLast(planes, input), Array.ConvertAll(stored, label => (int)label), steps, samples, input);
    }

    /// <inheritdoc/>
    public ValueTask<SampleBatch> GetAsync(long step, int shard, CancellationToken cancellation)
    {
        var first = (int)(step - 1) * Samples;
        return ValueTask.FromResult(new SampleBatch(
            images.AsMemory(first * Input.Elements, Samples * Input.Elements), labels.AsMemory(first, Samples), Samples));
    }

    private static float[] ChannelsLast(float[] planes, InputShape input)
    {
        var pixels = input.Height * input.Width;
        var turned = new float[planes.Length];
        for (var start = 0; start < planes.Length; start += input.Elements)
        {
            for (var c = 0; c < input.Channels; c++)
            {
                for (var pixel = 0; pixel < pixels; pixel++)
                    turned[start + pixel * input.Channels + c] = planes[start + c * pixels + pixel];
            }
        }

        return turned;
    }
}
