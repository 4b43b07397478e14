using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace AdderNet.Coordinator.Tests.Faults;

/// <summary>A coordinator in a process of its own, which can die as machines let processes die.</summary>
internal sealed class CoordinatorProcess : IAsyncDisposable
{
    /// <summary>Exit status of a process that SIGKILL ended.</summary>
    public const int Killed = 137;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly Process process;
    private readonly Task<string> errors;

    private CoordinatorProcess(Process process)
    {
        this.process = process;
        errors = process.StandardError.ReadToEndAsync();
        Listening = process.StandardOutput.ReadLineAsync();
    }

    /// <summary>Completes when it listens, or with null when it ends instead.</summary>
    public Task<string?> Listening { get; }

    public bool HasEnded => process.HasExited;

    /// <summary>An address that nobody listens at now.</summary>
    public static Uri FreeAddress()
    {
        using var socket = new TcpListener(IPAddress.Loopback, 0);
        socket.Start();
        return new Uri($"http://127.0.0.1:{((IPEndPoint)socket.LocalEndpoint).Port}/");
    }

    /// <param name="store">As <c>--store</c> takes it.</param>
    /// <param name="listen">Where it listens.</param>
    /// <param name="points">The file that it writes the places between statements to.</param>
    /// <param name="lease">Of the store.</param>
    /// <param name="role">active, standby or silo.</param>
    /// <param name="dieAt">The place at which it kills itself.</param>
    public static CoordinatorProcess Start(string store, Uri listen, string points, TimeSpan lease, string role = "active", string? dieAt = null)
    {
        List<string> arguments =
        [
            Path.Combine(AppContext.BaseDirectory, "AdderNet.CoordinatorProcess.dll"), store, listen.ToString(), $"{(int)lease.TotalMilliseconds}", role, points,
        ];
        if (dieAt is not null)
            arguments.Add(dieAt);
        return new CoordinatorProcess(Process.Start(new ProcessStartInfo("dotnet", arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!);
    }

    public void Kill() => process.Kill();

    public void StandStill() => Signal(19);

    public void GoOn() => Signal(18);

    /// <summary>Asks it to end.</summary>
    public void Stop()
    {
        try
        {
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended by itself.
        }
    }

    /// <summary>Waits for its end.</summary>
    /// <returns>Its exit status, and what it said last.</returns>
    public async Task<(int Status, string Errors)> EndAsync()
    {
        using var limit = new CancellationTokenSource(Patience, TimeProvider.System);
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await errors);
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill();
            await process.WaitForExitAsync();
        }

        process.Dispose();
    }

    private void Signal(int number)
    {
        if (SendSignal(process.Id, number) != 0)
            throw new InvalidOperationException($"no signal {number} to {process.Id}");
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int SendSignal(int processId, int signal);
}
