using AdderNet.Core.Checkpoints;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data.Images;
using AdderNet.Core.Numerics;

namespace AdderNet.Cli.Benchmarks;

/// <summary>Rendered samples as tensors, with the crops that were drawn, so that another library can render the same and compare.</summary>
internal static class PixelSheet
{
    private const long Seed = 1;
    private static readonly string[] Endings = [".jpg", ".jpeg", ".png"];

    /// <summary>Pictures below a directory, in ordinal order, evenly picked.</summary>
    public static IReadOnlyList<string> Pick(string directory, int count)
    {
        var all = Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories)
            .Where(path => Endings.Contains(Path.GetExtension(path).ToLowerInvariant()))
            .Select(path => Path.GetRelativePath(directory, path))
            .Order(StringComparer.Ordinal)
            .ToList();
        return all.Count <= count ? all : [.. Enumerable.Range(0, count).Select(i => all[(int)((long)i * all.Count / count)])];
    }

    /// <summary>
    /// Of each picture: NAME.evaluation and NAME.training F32 [side, side, 3], NAME.crop I64 [5] (left, top, width, height,
    /// mirrored).
    /// </summary>
    public static IEnumerable<NamedTensor> Render(string directory, IReadOnlyList<string> names, int side, PhotographDecoding decoding)
    {
        using var pipeline = new PhotographPipeline(side, Augmentation.ImageNet, decoding);
        for (var index = 0; index < names.Count; index++)
        {
            var name = names[index];
            var encoded = File.ReadAllBytes(Path.Combine(directory, name));
            float[] evaluation = new float[pipeline.Elements], training = new float[pipeline.Elements];
            pipeline.RenderEvaluation(encoded, name, evaluation);
            pipeline.RenderTraining(encoded, name, Seed, 0, index, training);
            yield return NamedTensor.Float32($"{name}.evaluation", [side, side, 3], evaluation);
            yield return NamedTensor.Float32($"{name}.training", [side, side, 3], training);
            yield return NamedTensor.Int64($"{name}.crop", [5], Crop(encoded, index, side));
        }
    }

    private static long[] Crop(byte[] encoded, int index, int side)
    {
        var header = PictureHeader.Read(encoded);
        var plan = CropPlan.Draw(Augmentation.ImageNet, header.Width, header.Height, side, new Philox(Seed, DrawPurpose.Augmentation, (uint)index, 0));
        return [plan.Across.First, plan.Down.First, plan.Across.Count, plan.Down.Count, plan.Mirror ? 1 : 0];
    }
}
