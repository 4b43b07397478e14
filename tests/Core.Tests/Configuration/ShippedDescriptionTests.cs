using System.Runtime.CompilerServices;
using AdderNet.Core.Configuration;
using Xunit;

namespace AdderNet.Core.Tests.Configuration;

public sealed class ShippedDescriptionTests
{
    public static TheoryData<string> Files => new(Directory.GetFiles(Folder("configs"), "*.yaml").Select(file => Path.GetFileName(file)!));

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_shipped_description_parses_and_says_what_its_name_says(string file)
    {
        var description = RunDescriptionFile.Load(Path.Combine(Folder("configs"), file));
        var set = file[..file.IndexOf('-', StringComparison.Ordinal)];
        Assert.Contains(Spelling.Of(description.Model.Name), file, StringComparison.Ordinal);
        Assert.Equal(LayerMethod.Adder, description.Model.Method);
        Assert.Equal(set switch { "cifar100" => 100, "imagenet" => 1000, _ => 10 }, description.Model.Classes);
        Assert.Equal(set switch { "cifar10" or "cifar100" => DataFormat.Cifar, "imagenet" => DataFormat.Folder, _ => DataFormat.Idx }, description.Data.Format);
    }

    [Fact]
    public void The_short_MNIST_recipe_is_the_one_that_was_measured()
    {
        var description = RunDescriptionFile.Load(Path.Combine(Folder("configs"), "mnist-lenet5.yaml"));
        Assert.Equal((256, 8, 8, 5e-4, true), (description.Batch.Global, description.Batch.Shards, description.Schedule.Epochs, description.Optimizer.WeightDecay, description.Optimizer.Nesterov));
        Assert.Equal("mnist", description.Data.Path);
    }

    private static string Folder(string name, [CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../..", name));
}
