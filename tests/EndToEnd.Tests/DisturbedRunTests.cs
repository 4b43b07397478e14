using AdderNet.Chaos;
using Xunit;
using Xunit.Abstractions;

namespace AdderNet.EndToEnd.Tests;

/// <summary>Real processes killed, stopped and cut off on the way: the weights are the calm run's, to the bit.</summary>
public sealed class DisturbedRunTests(ITestOutputHelper log) : IDisposable
{
    private const int Steps = 500;
    private const int World = 3;
    private readonly Workspace workspace = new();

    [Fact]
    public async Task Killing_and_stopping_workers_and_killing_the_coordinator_leaves_the_final_weights_unchanged()
    {
        var config = Config();
        var calm = await TrainedRun.TrainAsync(config, workspace.Folder("calm"), ["--workers", "1"]);
        var output = workspace.Folder("disturbed");
        await using var run = TrainRun.Start(config, output, World);

        await run.Commits.FirstAsync(c => c.Step >= 20, TimeSpan.FromMinutes(1), "step 20");
        Say("worker killed in a step", await Recoveries.KillWorkerAsync(run, World, 0));

        // The coordinator dies while the members evaluate: its own log says when they do.
        await SaidAsync(output, "evaluating after step 160");
        var before = run.Commits.Last!;
        var moment = TimeProvider.System.GetTimestamp();
        var killed = run.Coordinator;
        Signals.Send(killed.ProcessId, Signals.Kill);
        Say("coordinator killed in an evaluation", await run.RecoveredAsync(moment, before.Generation));
        Assert.NotEqual(killed.ProcessId, run.Coordinator.ProcessId);

        Say("worker stopped", await Recoveries.StopWorkerAsync(run, World, 1));

        await run.CompleteAsync();
        Assert.Equal(calm.FinalFileHash, ChaosRun.FinalHash(output));
        Assert.Equal(Enumerable.Range(1, Steps).Select(s => (long)s), ChaosRun.StepLines(output));
    }

    [Fact]
    public async Task Cutting_and_healing_a_workers_links_leaves_the_final_weights_unchanged()
    {
        var config = Measurement.WriteConfig(workspace.Folder("config"), Steps, leaseMs: 1500);
        var calm = await TrainedRun.TrainAsync(config, workspace.Folder("calm"), ["--workers", "1"]);
        var output = workspace.Folder("cut");
        await using var run = await LinkedRun.StartAsync(config, output, World);

        await run.Commits.FirstAsync(c => c.Step >= 20, TimeSpan.FromMinutes(1), "step 20");
        Say("links cut", await Recoveries.CutLinkAsync(run, World, 1));

        await run.CompleteAsync();
        Assert.Equal(calm.FinalFileHash, ChaosRun.FinalHash(output));
        Assert.Equal(Enumerable.Range(1, Steps).Select(s => (long)s), ChaosRun.StepLines(output));
    }

    public void Dispose() => workspace.Dispose();

    private void Say(string what, TimeSpan took) => log.WriteLine($"{what}: {took.TotalSeconds:0.00} s to the next committed step");

    private static Task SaidAsync(string output, string text) => Eventually.TrueAsync(
        () => File.Exists(Path.Combine(output, "logs", "coordinator.log")) && Read(Path.Combine(output, "logs", "coordinator.log")).Contains(text, StringComparison.Ordinal),
        $"the coordinator did not say '{text}'");

    private static string Read(string file)
    {
        using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }

    private string Config()
    {
        var path = Path.Combine(workspace.Root, "disturbed.yaml");
        File.WriteAllText(path, $$"""
            model: {name: lenet5}
            data: {format: synthetic, image_size: 28}
            batch: {global: 128, shards: 8}
            optimizer: {learning_rate: 0.05, nesterov: true}
            schedule: {epochs: 20, max_steps: {{Steps}}}
            evaluation: {every_epochs: 5}
            checkpoint: {every_steps: 100}
            elastic: {lease_ms: 1500}
            seed: 11
            """);
        return path;
    }
}
