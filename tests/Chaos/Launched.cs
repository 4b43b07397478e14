using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace AdderNet.Chaos;

/// <summary>An addernet process, started as a person would start it; what it prints is kept.</summary>
internal sealed class Launched : IAsyncDisposable
{
    private readonly Process process;
    private readonly StringBuilder output = new();

    private Launched(Process process) => this.process = process;

    public int Id => process.Id;

    public bool HasExited => process.HasExited;

    public int ExitCode => process.ExitCode;

    public string Output
    {
        get
        {
            lock (output)
                return output.ToString();
        }
    }

    public static Launched Start(params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "AdderNet.Cli.dll"));
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        var launched = new Launched(new Process { StartInfo = start });
        launched.process.OutputDataReceived += launched.Keep;
        launched.process.ErrorDataReceived += launched.Keep;
        launched.process.Start();
        launched.process.BeginOutputReadLine();
        launched.process.BeginErrorReadLine();
        return launched;
    }

    /// <summary>Runs a command to its end, which must be 0.</summary>
    public static async Task<string> RunAsync(params IEnumerable<string> arguments)
    {
        await using var launched = Start(arguments);
        await launched.process.WaitForExitAsync();
        return launched.ExitCode == 0 ? launched.Output : throw new ChaosException($"a command ended with {launched.ExitCode}: {launched.Output}");
    }

    public void Signal(int signal) => Signals.Send(Id, signal);

    public Task WaitAsync() => process.WaitForExitAsync();

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
            process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is null)
            return;
        lock (output)
            output.AppendLine(line.Data);
    }
}

/// <summary>Signals to processes that this program started, or that they did.</summary>
internal static class Signals
{
    public const int Interrupt = 2;
    public const int Kill = 9;
    public const int Terminate = 15;
    public const int Continue = 18;
    public const int Stop = 19;

    public static void Send(int process, int signal)
    {
        if (Native(process, signal) != 0)
            throw new ChaosException($"signal {signal} did not reach process {process}: it is gone");
    }

    /// <summary>The state letter of a process, such as T for stopped; null: there is none.</summary>
    public static char? StateOf(int process)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{process}/stat");
            return text[text.LastIndexOf(')') + 2];
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Resident memory in MiB.</summary>
    public static double MemoryOf(int process)
    {
        var line = File.ReadLines($"/proc/{process}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]) / 1024;
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int Native(int process, int signal);
}
