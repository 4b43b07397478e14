using Xunit;

namespace AdderNet.Cli.Tests;

public sealed class OpsTests
{
    [Fact]
    public async Task Ops_shows_every_layer_and_the_papers_figure_beside_the_count()
    {
        var result = await CliProcess.RunAsync("ops", "resnet20");

        Assert.Equal((0, ""), (result.ExitCode, result.Errors));
        var lines = result.Output.Split('\n').Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries))).ToList();
        Assert.Contains("layer3.0.downsample.0 adder 8x8x64 2,048 4,096 262,144 0 0", lines);
        Assert.Contains("all 272,484 200,714 81,183,360 443,008 0", lines);
        Assert.Contains("all but conv1 270,464 184,330 80,740,992 640 0", lines);
        Assert.Contains("the paper's AddNN row 82.34M 0 0", lines);
        Assert.Contains("every layer counted as adder 81.63M 0 0", lines);
    }

    [Theory]
    [InlineData("ops resnet19", "'resnet19'", "valid: lenet5, vgg-small, resnet20")]
    [InlineData("ops resnet20 --method add", "'add'", "valid: adder, conv, binary, dorefa, xnor")]
    [InlineData("ops lenet5 --image-size 8", "8", "valid: --image-size")]
    [InlineData("ops vgg-small --image-size 1024 --classes 1000", "--classes 1000", "valid: --image-size 224")]
    public async Task A_model_that_cannot_be_counted_is_one_line_and_status_2(string arguments, string named, string valid)
    {
        var result = await CliProcess.RunAsync(arguments.Split(' '));

        Assert.Equal(2, result.ExitCode);
        var line = Assert.Single(result.ErrorLines);
        Assert.Contains(named, line);
        Assert.Contains(valid, line);
    }
}
