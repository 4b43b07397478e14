using System.Diagnostics;
using Xunit;

namespace AdderNet.Cli.Tests;

public sealed class SupervisedProcessTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("addernet-supervised-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task A_child_whose_parent_goes_away_ends_by_itself()
    {
        using var child = await StartCoordinatorAsync();

        child.StandardInput.Close();

        Assert.Equal(0, await ExitCodeAsync(child));
    }

    [Fact]
    public async Task Ctrl_c_at_the_terminal_is_left_to_the_parent_but_sigterm_ends_a_child()
    {
        using var child = await StartCoordinatorAsync();

        await SignalAsync("INT", child.Id);
        var status = await CliProcess.RunAsync("runs", "--coordinator", url);
        await SignalAsync("TERM", child.Id);

        Assert.Equal("no runs\n", status.Output);
        Assert.Equal(0, await ExitCodeAsync(child));
    }

    private string url = "";

    private async Task<Process> StartCoordinatorAsync()
    {
        var child = Process.Start(CliProcess.Describe(
            null, "coordinator", "--supervised", "--listen", "http://127.0.0.1:0", "--store", "sqlite:" + Path.Combine(folder, "c.db")))!;
        var errors = child.StandardError.ReadToEndAsync();
        var line = await child.StandardOutput.ReadLineAsync();
        Assert.True(line is not null, $"it ended at once: {(line is null ? await errors : "")}");
        url = line!.Split(' ')[^1];
        return child;
    }

    private static async Task<int> ExitCodeAsync(Process child)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await child.WaitForExitAsync(limit.Token);
        return child.ExitCode;
    }

    private static async Task SignalAsync(string signal, int process)
    {
        using var kill = Process.Start("kill", [$"-{signal}", process.ToString()]);
        await kill.WaitForExitAsync();
        Assert.Equal(0, kill.ExitCode);
    }
}
