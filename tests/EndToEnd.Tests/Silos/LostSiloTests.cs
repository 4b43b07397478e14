using System.Diagnostics;
using AdderNet.Chaos;
using Xunit;
using Xunit.Abstractions;

namespace AdderNet.EndToEnd.Tests.Silos;

/// <summary>Two silos on PostgreSQL and real workers: the silo that drives the run is killed, or stands still for a while.</summary>
public sealed class LostSiloTests(ITestOutputHelper log) : IAsyncLifetime
{
    private const int Steps = 600;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly Workspace workspace = new();
    private readonly DirectoryInfo server = Directory.CreateTempSubdirectory("addernet-pg-");

    private string Store => $"postgres:Host={server.FullName};Database=postgres;Username=addernet;Password=addernet";

    public Task InitializeAsync() => PostgresAsync("start");

    public async Task DisposeAsync()
    {
        await PostgresAsync("stop");
        server.Delete(recursive: true);
        workspace.Dispose();
    }

    [Fact]
    public Task Killing_the_silo_that_drives_the_run_moves_run_and_workers_to_the_other_and_leaves_the_final_weights_unchanged() =>
        LoseDrivingSiloAsync(
            Signals.Kill,
            driving =>
            {
                Assert.True(driving.HasExited);
                return Task.CompletedTask;
            });

    /// <summary>
    /// For a while the run has two activations that each believe to drive it: the silo that wakes finds its leases taken and
    /// itself given up by the other, decides nothing more, and ends.
    /// </summary>
    [Fact]
    public Task A_silo_that_stood_still_while_its_run_moved_decides_nothing_more_and_ends_with_one_line() =>
        LoseDrivingSiloAsync(
            Signals.Stop,
            async driving =>
            {
                Assert.Equal('T', Signals.StateOf(driving.Id));
                driving.Signal(Signals.Continue);
                await driving.WaitAsync();
                Assert.Equal(1, driving.ExitCode);
                Assert.Single(driving.Output.Split('\n'), line => line.StartsWith("addernet: ", StringComparison.Ordinal));
            });

    /// <summary>A signal to the silo that drives, then, once the run went on at the other one, what is to be seen of it.</summary>
    private async Task LoseDrivingSiloAsync(int signal, Func<Launched, Task> afterwards)
    {
        var config = Measurement.WriteConfig(workspace.Folder("config"), Steps);
        var calm = await TrainedRun.TrainAsync(config, workspace.Folder("calm"), ["--workers", "1"]);
        var output = workspace.Folder("disturbed");

        var silos = new List<(Launched Process, string Url)>();
        var workers = new List<Launched>();
        await using var commits = new CommitLog(Path.Combine(output, "metrics.jsonl"), TimeProvider.System);
        try
        {
            for (var silo = 0; silo < 2; silo++)
                silos.Add(await StartSiloAsync());
            await Launched.RunAsync("submit", config, "--coordinator", silos[1].Url, "--set", $"checkpoint.path={output}", "--set", "elastic.min_workers=3");
            for (var worker = 0; worker < 3; worker++)
            {
                // Each knows both; which one it asks first differs.
                var urls = string.Join(',', (worker % 2 == 0 ? silos : silos.AsEnumerable().Reverse()).Select(s => s.Url));
                workers.Add(Launched.Start("worker", "--coordinator", urls, "--threads", "1"));
            }

            await commits.FirstAsync(c => c.Step >= 50, Patience, "step 50");
            var driving = Assert.Single(silos, s => s.Process.Output.Contains("taken up at step", StringComparison.Ordinal));
            var before = commits.Last!;
            var moment = TimeProvider.System.GetTimestamp();
            driving.Process.Signal(signal);
            var next = await commits.FirstAsync(c => c.Generation > before.Generation, Patience, "a step after the silo was lost");
            log.WriteLine($"silo lost: {TimeProvider.System.GetElapsedTime(moment, next.Stamp).TotalSeconds:0.00} s to the next committed step");
            await afterwards(driving.Process);

            await Eventually.TrueAsync(() => File.Exists(Path.Combine(output, "final.safetensors")) && File.Exists(Path.Combine(output, "summary.json")), "the run did not end");
            var left = silos.Single(s => s != driving);
            Assert.Contains("completed", await Launched.RunAsync("status", "--coordinator", $"{driving.Url},{left.Url}"));
            Assert.Equal(calm.FinalFileHash, ChaosRun.FinalHash(output));
            Assert.Equal(Enumerable.Range(1, Steps).Select(s => (long)s), ChaosRun.StepLines(output));
            left.Process.Signal(Signals.Terminate);
            await left.Process.WaitAsync();
            Assert.Equal(0, left.Process.ExitCode);
        }
        finally
        {
            foreach (var process in workers.Concat(silos.Select(s => s.Process)))
                await process.DisposeAsync();
        }
    }

    private async Task<(Launched Process, string Url)> StartSiloAsync()
    {
        var silo = Launched.Start("coordinator", "--host", "orleans", "--listen", "http://127.0.0.1:0", "--store", Store);
        const string Listens = "coordinator listens on ";
        await Eventually.TrueAsync(() => silo.HasExited || silo.Output.Contains(Listens, StringComparison.Ordinal), "no silo came up");
        Assert.False(silo.HasExited, silo.Output);
        return (silo, silo.Output.Split('\n').First(line => line.StartsWith(Listens, StringComparison.Ordinal))[Listens.Length..].Trim());
    }

    private async Task PostgresAsync(string command)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "AdderNet.sln")))
            root = root.Parent!;
        using var process = Process.Start(Path.Combine(root.FullName, "build", "postgres.sh"), [command, server.FullName]);
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
    }
}
