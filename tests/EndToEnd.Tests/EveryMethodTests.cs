using Xunit;

namespace AdderNet.EndToEnd.Tests;

/// <summary>The promise holds for every method of the paper's tables, not for adder layers alone.</summary>
public sealed class EveryMethodTests
{
    private const int Steps = 4;

    [Theory]
    [InlineData("conv")]
    [InlineData("binary")]
    [InlineData("dorefa")]
    [InlineData("xnor")]
    public async Task LeNet_of_every_method_has_one_hash_at_one_worker_and_at_three_with_narrow_vectors(string method)
    {
        using var workspace = new Workspace();
        var config = workspace.Config("lenet5", SmallMnist.Write(workspace.Folder("data"), train: 64, test: 32), Steps, batch: 16, shards: 4, epochs: 1);
        await AssertOneHashAsync(workspace, config, "model.method=" + method, new Dictionary<string, string> { ["DOTNET_EnableAVX2"] = "0" });
    }

    [Fact]
    public async Task A_residual_adder_network_has_one_hash_at_one_and_three_workers()
    {
        using var workspace = new Workspace();
        var config = workspace.Folder("resnet20.yaml");
        await File.WriteAllTextAsync(config, $$"""
            model: {name: resnet20}
            data: {format: synthetic, image_size: 32}
            batch: {global: 16, shards: 4}
            schedule: {epochs: 1, max_steps: 3}
            """);
        await AssertOneHashAsync(workspace, config, "optimizer.eta=0.2");
    }

    private static async Task AssertOneHashAsync(
        Workspace workspace, string config, string setting, IReadOnlyDictionary<string, string>? otherMachines = null)
    {
        var alone = await TrainedRun.TrainAsync(config, workspace.Folder("one"), ["--workers", "1", "--threads", "1", "--set", setting]);
        var shared = await TrainedRun.TrainAsync(config, workspace.Folder("three"), ["--workers", "3", "--threads", "1", "--set", setting], otherMachines);

        Assert.Equal(alone.FinalFileHash, shared.FinalFileHash);
        Assert.Equal(alone.EvaluationLines[^1].GetProperty("loss").GetDouble(), shared.EvaluationLines[^1].GetProperty("loss").GetDouble());
        // Loss by loss, so that equal weights cannot come from runs that did nothing.
        var losses = alone.StepLines.Select(line => line.GetProperty("loss").GetDouble()).ToList();
        Assert.Equal(losses, shared.StepLines.Select(line => line.GetProperty("loss").GetDouble()));
        Assert.Equal(losses.Count, losses.Distinct().Count());
        var workers = shared.Summary.GetProperty("workers").EnumerateArray().ToList();
        Assert.Equal(3, workers.Count(worker => worker.GetProperty("shards_computed").GetInt64() > 0));
    }
}
