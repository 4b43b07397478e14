using AdderNet.Cli.Benchmarks.Workers;
using AdderNet.Core.Configuration;
using Xunit;

namespace AdderNet.Cli.Tests;

public sealed class BenchWorkersTests
{
    [Theory]
    [InlineData(ModelName.LeNet5, 28, 2)]
    [InlineData(ModelName.ResNet20, 32, 2)]
    [InlineData(ModelName.ResNet50, 224, 16)]
    public void The_runs_that_are_measured_have_valid_descriptions_with_a_shard_for_every_worker(ModelName model, int side, int most)
    {
        var measured = new WorkersCase(model, side, WorkersCase.UsualBatch(model), 1, [1, most]);

        var run = RunDescriptionFile.Parse(measured.Description(most, "/runs/bench"), "bench");

        Assert.Equal((model, most, most), (run.Model.Name, run.Elastic.MinWorkers, run.Elastic.MaxWorkers));
        Assert.InRange(run.Batch.Shards, most, run.Batch.Global);
        Assert.Equal("/runs/bench", run.Checkpoint.Path);
    }

    [Theory]
    [InlineData("2")]
    [InlineData("1")]
    [InlineData("2,1")]
    [InlineData("1,two")]
    [InlineData("1,1000")]
    public async Task Numbers_of_workers_that_cannot_be_compared_are_one_line_and_status_2(string numbers)
    {
        var result = await CliProcess.RunAsync("bench", "step", "lenet5", "--workers", numbers);

        Assert.Equal(2, result.ExitCode);
        var line = Assert.Single(result.ErrorLines);
        Assert.Contains($"--workers: '{numbers}'", line);
        Assert.Contains("valid: --workers 1,2", line);
    }
}
