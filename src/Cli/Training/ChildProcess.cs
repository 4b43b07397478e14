using System.Diagnostics;
using AdderNet.Core.Data;

namespace AdderNet.Cli.Training;

/// <summary>
/// This same program started again as a coordinator or worker. The child ends when its standard input does, so it cannot
/// outlive its parent.
/// </summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private readonly Process process;
    private readonly Task log;
    private readonly Task output;
    private readonly TaskCompletionSource<string?> firstLine = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ChildProcess(Process process, Action<string> log, Action<string>? output)
    {
        this.process = process;
        this.log = PumpAsync(process.StandardError, log);
        this.output = ReadOutputAsync(process.StandardOutput, output);
    }

    public int Id => process.Id;

    public bool HasEnded => process.HasExited;

    /// <summary>128 + signal when a signal ended it.</summary>
    public int ExitCode => process.ExitCode;

    /// <summary>The first line it writes to standard output; null when it ends without one.</summary>
    public Task<string?> FirstLine => firstLine.Task;

    /// <summary>Ends when all that it wrote to standard output has been heard.</summary>
    public Task OutputEnd => output;

    /// <param name="arguments">Arguments after <c>addernet</c>.</param>
    /// <param name="log">Receives what it writes to standard error, line by line.</param>
    /// <param name="output">Receives what it writes to standard output.</param>
    public static ChildProcess Start(IReadOnlyList<string> arguments, Action<string> log, Action<string>? output = null) =>
        new(Process.Start(Describe(arguments))!, log, output);

    /// <summary>How another process of this program is started, with all three of its streams in our hands.</summary>
    /// <param name="arguments">Arguments after <c>addernet</c>.</param>
    public static ProcessStartInfo Describe(IReadOnlyList<string> arguments)
    {
        // The host that runs us runs the child; DOTNET_* and the rest of the environment pass on.
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(typeof(ChildProcess).Assembly.Location);
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        // What the user set for their own commands is not meant for these; all they need is in the arguments.
        foreach (var name in start.Environment.Keys.Where(key => key.StartsWith("ADDERNET_", StringComparison.Ordinal) && key != CacheFolder.Variable).ToList())
            start.Environment.Remove(name);
        return start;
    }

    /// <summary>Ends when the process has.</summary>
    public Task WaitAsync(CancellationToken cancellation) => process.WaitForExitAsync(cancellation);

    /// <summary>Asks it to end by closing its standard input, and kills it when <paramref name="patience"/> is over.</summary>
    public async Task StopAsync(TimeSpan patience, TimeProvider clock)
    {
        try
        {
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended already.
        }

        using var limit = new CancellationTokenSource(patience, clock);
        try
        {
            await process.WaitForExitAsync(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            Kill();
            await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    public void Kill()
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It has ended already.
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            Kill();
            await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        }

        await Task.WhenAll(log, output).ConfigureAwait(false);
        process.Dispose();
    }

    private static async Task PumpAsync(StreamReader from, Action<string> log)
    {
        while (await from.ReadLineAsync(CancellationToken.None).ConfigureAwait(false) is { } line)
            log(line);
    }

    private async Task ReadOutputAsync(StreamReader from, Action<string>? heard)
    {
        while (await from.ReadLineAsync(CancellationToken.None).ConfigureAwait(false) is { } line)
        {
            firstLine.TrySetResult(line);
            heard?.Invoke(line);
        }

        firstLine.TrySetResult(null);
    }
}
