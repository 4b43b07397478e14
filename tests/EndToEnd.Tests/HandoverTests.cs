using AdderNet.Chaos;
using Xunit;

namespace AdderNet.EndToEnd.Tests;

/// <summary>Members that leave and a coordinator that hangs: the run goes on, and its weights are the undisturbed run's.</summary>
public sealed class HandoverTests : IDisposable
{
    private readonly Workspace workspace = new();

    [Fact]
    public async Task A_worker_that_is_asked_to_leave_exits_0_and_no_step_is_redone()
    {
        await using var run = Start("--no-replace");
        var before = await run.SteadyAsync(2, 5);
        Signals.Send(run.Workers[1].ProcessId, Signals.Terminate);
        await run.RecoveredAsync(0, before.Generation);
        await Eventually.TrueAsync(() => run.Said.Contains("ended with status 0", StringComparison.Ordinal), "the worker did not end with status 0");
        await run.StopAsync();

        Assert.Contains("left: asked to leave", run.CoordinatorLog(), StringComparison.Ordinal);
        var steps = run.Commits.Seen.Select(c => c.Step).ToList();
        Assert.Equal(Enumerable.Range(1, steps.Count).Select(s => (long)s), steps);
        await Comparison.WithCalmAsync(run.Config, run.Output, workspace.Folder("calm"));
    }

    [Fact]
    public async Task A_coordinator_that_hangs_is_started_again()
    {
        await using var run = Start();
        var before = await run.SteadyAsync(2, 5);
        var hung = run.Coordinator;
        Signals.Send(hung.ProcessId, Signals.Stop);
        await run.RecoveredAsync(0, before.Generation);
        Assert.Contains("has not answered", run.Said, StringComparison.Ordinal);
        Assert.NotEqual(hung.ProcessId, run.Coordinator.ProcessId);
        await run.StopAsync();
        await Comparison.WithCalmAsync(run.Config, run.Output, workspace.Folder("calm"));
    }

    public void Dispose() => workspace.Dispose();

    private TrainRun Start(params string[] more) =>
        TrainRun.Start(Measurement.WriteConfig(workspace.Folder("config"), 1_000_000), workspace.Folder("run"), 2, more);
}
