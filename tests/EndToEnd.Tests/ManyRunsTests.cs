using System.Diagnostics;
using System.Runtime.InteropServices;
using Xunit;

namespace AdderNet.EndToEnd.Tests;

/// <summary>Several runs on one coordinator, with real processes.</summary>
public sealed class ManyRunsTests
{
    [Fact]
    public async Task Runs_share_a_coordinator_and_workers_go_from_one_to_the_next_and_each_run_has_the_bits_it_has_alone()
    {
        using var workspace = new Workspace();
        var config = Config(workspace);
        var alone = await TrainedRun.TrainAsync(config, workspace.Folder("alone"), ["--workers", "1", "--threads", "1"]);

        await using var coordinator = AdderNetProcess.Start(
            ["coordinator", "--listen", "http://127.0.0.1:0", "--store", "sqlite:" + workspace.Folder("store.db")]);
        var url = await coordinator.ListeningAtAsync();

        // One worker a run: two train at the same time, the third waits for a worker that is done, the fourth is cancelled before it has any.
        string[] names = ["one", "two", "three", "four"];
        foreach (var name in names)
            await DoneAsync("submit", config, "--coordinator", url, "--set", $"checkpoint.path={workspace.Folder(name)}", "--set", "elastic.max_workers=1");
        Assert.Contains("cancelled", (await DoneAsync("cancel", "lenet5-synthetic-4", "--coordinator", url)).Output);
        await DoneAsync("pause", "lenet5-synthetic-3", "--coordinator", url);
        await using var first = AdderNetProcess.Start(["worker", "--coordinator", url, "--threads", "1"]);
        await using var second = AdderNetProcess.Start(["worker", "--coordinator", url, "--threads", "1"]);
        await UntilAsync(url, runs => Count(runs, "completed") == 2 && Count(runs, "paused") == 1);
        Assert.Contains("paused", (await DoneAsync("status", "lenet5-synthetic-3", "--coordinator", url)).Output);
        await DoneAsync("resume", "lenet5-synthetic-3", "--coordinator", url);
        await UntilAsync(url, runs => Count(runs, "completed") == 3 && Count(runs, "cancelled") == 1);
        var hashes = names[..3].Select(name => new TrainedRun(workspace.Folder(name), alone.Result).FinalFileHash);
        Assert.Equal([alone.FinalFileHash], hashes.Distinct());

        var events = (await DoneAsync("status", "lenet5-synthetic-3", "--events", "--coordinator", url)).Output;
        Assert.Contains("submitted", events);
        Assert.Contains("generation 1 from step 0: the run starts", events);
        Assert.Contains("steps 1 to 6 committed", events);
        Assert.Contains("evaluated 1024 samples", events);
        Assert.Matches("final.safetensors \\(final\\), \\d+ bytes, sha256 [0-9a-f]{64}, weights hash [0-9a-f]{64}", events);
        Assert.True(events.IndexOf("steps 1 to 6", StringComparison.Ordinal) > events.IndexOf("generation 1 from", StringComparison.Ordinal));
        Assert.Matches("completed +\\S", events);

        foreach (var worker in new[] { first, second })
        {
            Assert.False(Process.GetProcessById(worker.Id).HasExited);
            worker.Signal(PosixSignal.SIGTERM);
            Assert.Equal(0, (await worker.WaitAsync()).ExitCode);
        }
    }

    private static string Config(Workspace workspace)
    {
        var path = workspace.Folder("small.yaml");
        File.WriteAllText(path, """
            model: {name: lenet5}
            data: {format: synthetic, image_size: 28}
            batch: {global: 32, shards: 4}
            schedule: {epochs: 1, max_steps: 6}
            checkpoint: {every_steps: 0}
            """);
        return path;
    }

    private static async Task<CommandResult> DoneAsync(params string[] arguments)
    {
        var result = await AdderNetProcess.RunAsync(arguments);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result;
    }

    private static int Count(string runs, string state) => runs.Split('\n').Count(line => line.Contains($"  {state} ", StringComparison.Ordinal));

    private static async Task UntilAsync(string url, Func<string, bool> holds)
    {
        var started = TimeProvider.System.GetTimestamp();
        string runs;
        while (!holds(runs = (await DoneAsync("runs", "--coordinator", url)).Output))
            Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromMinutes(5), $"not within five minutes:\n{runs}");
    }
}
