using AdderNet.Chaos;
using Xunit;
using Xunit.Abstractions;

namespace AdderNet.EndToEnd.Tests;

/// <summary>Real processes killed, stopped and cut off on the way: the weights are the calm run's, to the bit.</summary>
public sealed class DisturbedRunTests(ITestOutputHelper log) : IDisposable
{
    private readonly Workspace workspace = new();

    [Fact]
    public async Task Killing_and_stopping_workers_and_killing_the_coordinator_leaves_the_final_weights_unchanged()
    {
        // Four workers exchange in two groups of two; the run below has none.
        const int World = 4;
        var config = Config("exchange: {group_size: 2}");
        var output = workspace.Folder("disturbed");
        await using (var run = TrainRun.Start(config, output, World))
        {
            await run.Commits.FirstAsync(c => c.Step >= 20, TimeSpan.FromMinutes(3), "step 20");
            Say("worker killed in a step", await Recoveries.KillWorkerAsync(run, World, 0));

            // The coordinator dies while the members evaluate: its own log says when they do.
            var evaluations = Evaluations(run);
            await Eventually.TrueAsync(() => Evaluations(run) > evaluations, "the coordinator did not say that it evaluates");
            var before = run.Commits.Last!;
            var moment = TimeProvider.System.GetTimestamp();
            var killed = run.Coordinator;
            Signals.Send(killed.ProcessId, Signals.Kill);
            Say("coordinator killed in an evaluation", await run.RecoveredAsync(moment, before.Generation));
            Assert.NotEqual(killed.ProcessId, run.Coordinator.ProcessId);

            Say("worker stopped", await Recoveries.StopWorkerAsync(run, World, 1));
            await run.StopAsync();
            log.WriteLine(run.Said);
        }

        await Comparison.WithCalmAsync(config, output, workspace.Folder("calm"));
    }

    [Fact]
    public async Task Cutting_and_healing_links_and_adding_a_worker_that_leaves_again_leaves_the_final_weights_unchanged()
    {
        const int World = 3;
        var config = Config();
        var output = workspace.Folder("cut");
        await using (var run = await LinkedRun.StartAsync(config, output, World))
        {
            Say("all links of one worker cut", await Recoveries.CutLinkAsync(run, World, 1));
            Say("the link between two workers cut", await Recoveries.CutPairAsync(run, World, 0));
            Say("a worker added, and gone again; the longest pause", await Recoveries.AddWorkerAsync(run, World));
            await run.StopAsync();
            log.WriteLine(run.Said);
        }

        await Comparison.WithCalmAsync(config, output, workspace.Folder("calm"));
    }

    public void Dispose() => workspace.Dispose();

    private void Say(string what, TimeSpan took) => log.WriteLine($"{what}: {took.TotalSeconds:0.00} s to the next committed step");

    private static int Evaluations(TrainRun run) => run.CoordinatorLog().Split("evaluating after step").Length;

    private string Config(string more = "")
    {
        var path = Path.Combine(workspace.Root, "disturbed.yaml");
        File.WriteAllText(path, $$"""
            model: {name: lenet5}
            data: {format: synthetic, image_size: 28}
            batch: {global: 128, shards: 8}
            optimizer: {learning_rate: 0.05, nesterov: true}
            schedule: {epochs: 100000, max_steps: 1000000}
            evaluation: {every_epochs: 2}
            checkpoint: {every_steps: 100}
            elastic: {lease_ms: 1500}
            seed: 11
            {{more}}
            """);
        return path;
    }
}
