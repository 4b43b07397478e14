using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using Xunit;

namespace AdderNet.EndToEnd.Tests;

/// <summary>Runs the real addernet command as a child process, as a person at a terminal would.</summary>
internal sealed partial class AdderNetProcess : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);
    private readonly Process process;
    private readonly StringBuilder output = new();
    private readonly StringBuilder error = new();

    private AdderNetProcess(Process process) => this.process = process;

    public int Id => process.Id;

    public string Output
    {
        get
        {
            lock (output)
                return output.ToString();
        }
    }

    private string Error
    {
        get
        {
            lock (error)
                return error.ToString();
        }
    }

    public static AdderNetProcess Start(IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "AdderNet.Cli.dll"));
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        foreach (var (key, value) in environment ?? new Dictionary<string, string>())
            start.Environment[key] = value;

        var started = new AdderNetProcess(new Process { StartInfo = start });
        started.process.OutputDataReceived += (_, line) => Append(started.output, line.Data);
        started.process.ErrorDataReceived += (_, line) => Append(started.error, line.Data);
        started.process.Start();
        started.process.BeginOutputReadLine();
        started.process.BeginErrorReadLine();
        return started;
    }

    public static async Task<CommandResult> RunAsync(params string[] arguments) => await RunAsync(arguments, null);

    public static async Task<CommandResult> RunAsync(IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment)
    {
        await using var command = Start(arguments, environment);
        return await command.WaitAsync();
    }

    /// <summary>The address that a coordinator says it listens on.</summary>
    public async Task<string> ListeningAtAsync()
    {
        var found = Match.Empty;
        await Eventually.TrueAsync(() => (found = Listening().Match(Error)).Success || process.HasExited, $"no address in: {Error}");
        Assert.True(found.Success, $"the coordinator ended:\n{Output}\n{Error}");
        return found.Groups[1].Value;
    }

    public async Task<CommandResult> WaitAsync()
    {
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"the command did not end within {Limit}\n{Output}\n{Error}");
        }

        return new CommandResult(process.ExitCode, Output, Error);
    }

    public void Signal(PosixSignal signal) => Assert.Equal(0, Kill(process.Id, signal switch
    {
        PosixSignal.SIGINT => 2,
        PosixSignal.SIGTERM => 15,
        _ => throw new ArgumentOutOfRangeException(nameof(signal)),
    }));

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }

        process.Dispose();
    }

    private static void Append(StringBuilder target, string? line)
    {
        if (line is null)
            return;
        lock (target)
            target.AppendLine(line);
    }

    [GeneratedRegex(@"[Ll]isten\w* .*?(http://127\.0\.0\.1:\d+)")]
    private static partial Regex Listening();

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int Kill(int processId, int signal);
}
