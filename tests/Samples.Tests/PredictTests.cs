using System.Globalization;
using System.Text;
using AdderNet.Core.Checkpoints;
using AdderNet.Core.Engine;
using Xunit;

namespace AdderNet.Samples.Tests;

public sealed class PredictTests(TrainedDigits digits) : IClassFixture<TrainedDigits>
{
    [Theory]
    [InlineData(3)]
    [InlineData(8)]
    public async Task A_test_image_and_the_same_picture_as_a_file_are_classified_as_the_library_does(int index)
    {
        var image = new float[digits.Data.Input.Elements];
        digits.Data.Test.Read(index, null, image);
        using var classifier = new Classifier(digits.Model, WeightsFile.Load(digits.Weights, digits.Model.Layout));
        var expected = classifier.Classify(image);
        var picture = Path.Combine(digits.Folder, "picture.pgm");
        await File.WriteAllBytesAsync(picture, [.. Encoding.ASCII.GetBytes($"P5\n# drawn by hand\n{TrainedDigits.Side} {TrainedDigits.Side}\n255\n"), .. digits.Pixels[index]]);

        var byIndex = await SampleProcess.RunAsync("Predict", digits.Config, digits.Weights, digits.Folder, $"{index}");
        var byFile = await SampleProcess.RunAsync("Predict", digits.Config, digits.Weights, picture);

        var line = $"class {expected.Class}, probability {expected.Probability.ToString("0.0000", CultureInfo.InvariantCulture)}";
        Assert.Equal(index % 10, expected.Class);
        Assert.Equal([$"{line}, labelled {index % 10}"], byIndex.Output);
        Assert.Equal([line], byFile.Output);
        Assert.Equal((0, 0), (byIndex.ExitCode, byFile.ExitCode));
    }

    [Fact]
    public async Task A_picture_that_is_none_and_weights_of_another_model_are_one_line_each_and_status_1()
    {
        var picture = await SampleProcess.RunAsync("Predict", digits.Config, digits.Weights, digits.Config);
        Assert.Equal(1, picture.ExitCode);
        Assert.Contains("not a binary PGM", Assert.Single(picture.Errors), StringComparison.Ordinal);

        var other = Path.Combine(digits.Folder, "conv.yaml");
        await File.WriteAllTextAsync(other, "model: {name: lenet5, method: conv}\ndata: {format: idx}\n");
        var weights = await SampleProcess.RunAsync("Predict", other, digits.Weights, digits.Folder, "0");
        Assert.Equal(1, weights.ExitCode);
        Assert.Contains("lacks tensor 'conv1.weight'", Assert.Single(weights.Errors), StringComparison.Ordinal);
    }
}
