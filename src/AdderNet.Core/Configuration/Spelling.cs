namespace AdderNet.Core.Configuration;

/// <summary>How the values of enumerations are spelt in run descriptions and options.</summary>
public static class Spelling
{
    private static readonly Dictionary<Enum, string> Spellings = new()
    {
        [ModelName.LeNet5] = "lenet5",
        [ModelName.VggSmall] = "vgg-small",
        [ModelName.ResNet20] = "resnet20",
        [ModelName.ResNet32] = "resnet32",
        [ModelName.ResNet18] = "resnet18",
        [ModelName.ResNet50] = "resnet50",
        [LayerMethod.Adder] = "adder",
        [LayerMethod.Conv] = "conv",
        [LayerMethod.Binary] = "binary",
        [LayerMethod.DoReFa] = "dorefa",
        [LayerMethod.Xnor] = "xnor",
        [DataFormat.Idx] = "idx",
        [DataFormat.Cifar] = "cifar",
        [DataFormat.Folder] = "folder",
        [DataFormat.Tar] = "tar",
        [DataFormat.Synthetic] = "synthetic",
        [Augmentation.None] = "none",
        [Augmentation.CropFlip] = "crop-flip",
        [Augmentation.ImageNet] = "imagenet",
        [PhotographDecoding.Full] = "full",
        [PhotographDecoding.Scaled] = "scaled",
        [OnTrouble.Stop] = "stop",
        [OnTrouble.Skip] = "skip",
        [Normalization.Shard] = "shard",
        [Normalization.Global] = "global",
        [GradientKind.Full] = "full",
        [GradientKind.Sign] = "sign",
        [GradientScaling.Adaptive] = "adaptive",
        [GradientScaling.Increased] = "increased",
        [GradientScaling.None] = "none",
        [ScheduleKind.Cosine] = "cosine",
        [ScheduleKind.Step] = "step",
        [ScheduleKind.Constant] = "constant",
        [SchedulePeriod.Step] = "step",
        [SchedulePeriod.Epoch] = "epoch",
    };

    /// <summary>The spelling of a value, such as <c>vgg-small</c>.</summary>
    public static string Of<T>(T value)
        where T : struct, Enum => Spellings[value];

    /// <summary>All spellings of an enumeration, in order of declaration.</summary>
    public static IReadOnlyList<string> All<T>()
        where T : struct, Enum => Enum.GetValues<T>().Select(Of).ToList();

    /// <summary>The value that is spelt exactly so.</summary>
    public static bool TryParse<T>(string text, out T value)
        where T : struct, Enum
    {
        foreach (var candidate in Enum.GetValues<T>())
        {
            if (Of(candidate) == text)
            {
                value = candidate;
                return true;
            }
        }

        value = default;
        return false;
    }
}
