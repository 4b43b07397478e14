using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Xunit;

namespace AdderNet.EndToEnd.Tests;

/// <summary>Members that leave and a coordinator that hangs: the run goes on, and its weights are the undisturbed run's.</summary>
public sealed class HandoverTests(SameBitsTests.CalmRun calm) : IClassFixture<SameBitsTests.CalmRun>
{
    [Fact]
    public async Task A_worker_that_is_asked_to_leave_exits_0_and_no_step_is_redone()
    {
        using var workspace = new Workspace();
        var run = await DisturbedAsync(workspace, "TERM", processes => processes.GetProperty("workers")[1].GetProperty("pid").GetInt32(), "--no-replace");
        Assert.Contains("ended with status 0", run.Result.All, StringComparison.Ordinal);
        Assert.Contains("left: asked to leave", run.Summary.GetProperty("generations")[1].GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Equal(Enumerable.Range(1, 50), run.StepLines.Select(line => line.GetProperty("step").GetInt32()));
    }

    [Fact]
    public async Task A_coordinator_that_hangs_is_started_again()
    {
        using var workspace = new Workspace();
        var run = await DisturbedAsync(workspace, "STOP", processes => processes.GetProperty("coordinator").GetInt32());
        Assert.Contains("has not answered", run.Result.All, StringComparison.Ordinal);
    }

    private async Task<TrainedRun> DisturbedAsync(Workspace workspace, string signal, Func<JsonElement, int> victim, params string[] more)
    {
        var output = workspace.Folder("run");
        await using var train = AdderNetProcess.Start(["train", calm.Config, "--output", output, "--workers", "2", "--threads", "1", "--set", "checkpoint.every_steps=5", .. more]);
        await Eventually.FileAsync(Path.Combine(output, "checkpoints", "step-00000005", "state.safetensors"));
        using var processes = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(output, "processes.json")));
        var pid = victim(processes.RootElement);
        using var kill = Process.Start("kill", [$"-{signal}", pid.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
        Assert.Equal(0, kill.ExitCode);

        var result = await train.WaitAsync();
        Assert.True(result.ExitCode == 0, result.ToString());
        var run = new TrainedRun(output, result);
        Assert.Equal(calm.Run.FinalFileHash, run.FinalFileHash);
        return run;
    }
}
