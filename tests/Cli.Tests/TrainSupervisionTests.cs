using System.Diagnostics;
using System.Text.Json;
using AdderNet.Cli.Training;
using Xunit;

namespace AdderNet.Cli.Tests;

/// <summary>Real processes, killed as machines kill them.</summary>
public sealed class TrainSupervisionTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly string folder = Directory.CreateTempSubdirectory("addernet-supervision-").FullName;

    private string Output => Path.Combine(folder, "run");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Killing_train_leaves_no_process_behind()
    {
        using var train = Start();
        var processes = await ProcessesAsync(train, now => now.Workers.Count == 2 && CommittedSteps() > 0);

        train.Kill();

        await EventuallyAsync(
            () => !IsAlive(processes.Coordinator!.Value) && processes.Workers.All(worker => !IsAlive(worker.ProcessId)),
            "a child outlived train",
            // Less than a worker takes to give up on a coordinator that is gone.
            TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task A_killed_worker_is_replaced_a_killed_coordinator_comes_back_and_ctrl_c_ends_all_with_a_checkpoint()
    {
        using var train = Start();
        var output = train.StandardOutput.ReadToEndAsync();
        var first = await ProcessesAsync(train, now => now.Workers.Count == 2 && CommittedSteps() > 0);

        Process.GetProcessById(first.Workers[0].ProcessId).Kill();
        var second = await ProcessesAsync(train, now => now.Workers.Count == 2 && now.Workers.All(worker => worker.ProcessId != first.Workers[0].ProcessId));
        Process.GetProcessById(first.Coordinator!.Value).Kill();
        var third = await ProcessesAsync(train, now => now.Coordinator is { } id && id != first.Coordinator);
        var steps = CommittedSteps();
        await EventuallyAsync(() => CommittedSteps() > steps, "training did not go on");
        using (var interrupt = Process.Start("kill", ["-INT", train.Id.ToString()]))
            await interrupt.WaitForExitAsync();
        using var limit = new CancellationTokenSource(Patience);
        await train.WaitForExitAsync(limit.Token);

        Assert.NotEqual(first.Workers[0].Id, second.Workers[0].Id);
        Assert.Equal(first.Url, third.Url);
        Assert.Equal(1, train.ExitCode);
        Assert.Contains("the same command goes on from there", await output);
        Assert.NotEmpty(Directory.GetFiles(Path.Combine(Output, "checkpoints"), "state.safetensors", SearchOption.AllDirectories));
        Assert.All([third.Coordinator!.Value, .. third.Workers.Select(worker => worker.ProcessId)], id => Assert.False(IsAlive(id)));
        Assert.Empty(Read()!.Workers);
    }

    private Process Start()
    {
        var config = Path.Combine(folder, "long.yaml");
        File.WriteAllText(config, """
            model: {name: lenet5}
            data: {format: synthetic, image_size: 28}
            batch: {global: 64, shards: 4}
            schedule: {epochs: 10000}
            evaluation: {every_epochs: 0}
            """);
        return Process.Start(CliProcess.Describe(null, "train", config, "--workers", "2", "--threads", "1", "--output", Output))!;
    }

    private async Task<ProcessesFile> ProcessesAsync(Process train, Func<ProcessesFile, bool> condition)
    {
        await EventuallyAsync(
            () => train.HasExited || (Read() is { } now && condition(now)), "processes.json never said so: " + File.ReadAllText(Path.Combine(folder, "long.yaml")));
        Assert.False(train.HasExited, train.HasExited ? await train.StandardError.ReadToEndAsync() : "");
        return Read()!;
    }

    private ProcessesFile? Read()
    {
        var path = Path.Combine(Output, ProcessesFile.Name);
        return File.Exists(path) ? JsonSerializer.Deserialize<ProcessesFile>(File.ReadAllText(path)) : null;
    }

    private int CommittedSteps()
    {
        var path = Path.Combine(Output, "metrics.jsonl");
        return File.Exists(path) ? File.ReadLines(path).Count() : 0;
    }

    private static bool IsAlive(int process)
    {
        try
        {
            // A killed process stays in the table as a zombie until its new parent looks; it does nothing any more.
            var state = File.ReadAllText($"/proc/{process}/stat");
            return !state[(state.LastIndexOf(')') + 2)..].StartsWith('Z');
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static async Task EventuallyAsync(Func<bool> condition, string otherwise, TimeSpan? patience = null)
    {
        var start = TimeProvider.System.GetTimestamp();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < (patience ?? Patience), otherwise);
            await timer.WaitForNextTickAsync();
        }
    }
}
