using System.Text.Json;
using Xunit;

namespace AdderNet.Cli.Tests;

public sealed class BenchKernelsTests : IDisposable
{
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("addernet-kernels-");

    private string File => Path.Combine(directory.FullName, "kernels.json");

    public void Dispose() => directory.Delete(recursive: true);

    [Fact]
    public async Task Every_pass_of_every_layer_has_a_row_with_its_share_of_the_bound()
    {
        var result = await CliProcess.RunAsync("bench", "kernels", "--model", "lenet5", "--json", File);

        Assert.Equal((0, ""), (result.ExitCode, result.Errors));
        using var report = JsonDocument.Parse(await System.IO.File.ReadAllTextAsync(File));
        var rows = report.RootElement.GetProperty("rows").EnumerateArray().ToList();
        Assert.Equal(
            Enumerable.Repeat(new[] { "adder_forward", "filter_gradient", "input_gradient" }, 5).SelectMany(kernels => kernels),
            rows.Select(row => row.GetProperty("kernel").GetString()));
        Assert.All(rows, row => Assert.Equal(["kernel", "shape", "elements", "seconds", "of_bound", "of_mix", "of_memory"], row.EnumerateObject().Select(property => property.Name)));

        // conv1: 32 images, 28 x 28 positions, 6 filters of 25 elements.
        Assert.Equal(32 * 28 * 28 * 6 * 25, rows[0].GetProperty("elements").GetDouble());
        Assert.All(rows, row => Assert.InRange(row.GetProperty("seconds").GetDouble(), 1e-8, 10));
    }

    [Fact]
    public async Task Without_wide_vectors_nothing_is_judged()
    {
        var result = await CliProcess.RunAsync(new Dictionary<string, string> { ["DOTNET_EnableAVX512"] = "0" }, "bench", "kernels", "--model", "lenet5", "--json", File);

        Assert.Equal((0, ""), (result.ExitCode, result.Errors));
        Assert.Contains("none are judged", result.Output);
        using var report = JsonDocument.Parse(await System.IO.File.ReadAllTextAsync(File));
        Assert.Empty(report.RootElement.GetProperty("summary").GetProperty("targets").EnumerateArray());
    }

    [Fact]
    public async Task A_batch_may_be_asked_for()
    {
        var result = await CliProcess.RunAsync("bench", "kernels", "--model", "lenet5", "--batch", "3", "--json", File);

        Assert.Equal((0, ""), (result.ExitCode, result.Errors));
        using var report = JsonDocument.Parse(await System.IO.File.ReadAllTextAsync(File));
        Assert.Equal(3 * 28 * 28 * 6 * 25, report.RootElement.GetProperty("rows")[0].GetProperty("elements").GetDouble());
    }

    [Theory]
    [InlineData("--batch 0", "'0'", "valid: --batch 8")]
    [InlineData("--threads 0", "'0'", "valid: --threads 2")]
    [InlineData("--model resnet19", "'resnet19'", "valid: --model resnet20")]
    public async Task Wrong_arguments_are_one_line_and_status_2(string arguments, string named, string valid)
    {
        var result = await CliProcess.RunAsync(["bench", "kernels", .. arguments.Split(' ')]);

        Assert.Equal(2, result.ExitCode);
        var line = Assert.Single(result.ErrorLines);
        Assert.Contains(named, line);
        Assert.Contains(valid, line);
    }
}
