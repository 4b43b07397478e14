using System.Diagnostics;
using System.Globalization;
using AdderNet.Coordinator.Store;
using Microsoft.Extensions.Logging;

namespace AdderNet.Coordinator.Hosting;

/// <summary>Keeps the store ours: takes its lease, renews it, and says when it is lost.</summary>
internal sealed class StoreLease : IAsyncDisposable
{
    private readonly IRunStore store;
    private readonly TimeSpan duration;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private readonly CancellationTokenSource stop = new();
    private readonly TaskCompletionSource<string> lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task renewing;

    private StoreLease(IRunStore store, TimeSpan duration, TimeProvider time, ILogger log)
    {
        this.store = store;
        this.duration = duration;
        this.time = time;
        this.log = log;
        renewing = RenewAsync();
    }

    /// <summary>Completes with the reason when another coordinator may hold the store.</summary>
    public Task<string> Lost => lost.Task;

    /// <exception cref="StoreException">Another coordinator holds the store.</exception>
    public static async Task<StoreLease> TakeAsync(
        IRunStore store, string address, TimeSpan duration, TimeProvider time, ILogger log, CancellationToken cancellation)
    {
        var holder = await store.AcquireAsync(ProcessOwner.Describe(), duration, ProcessOwner.IsGone, cancellation).ConfigureAwait(false);
        return holder is null
            ? new StoreLease(store, duration, time, log)
            : throw new StoreException($"store {address} is held by another coordinator ({holder}): stop that one, or name another store, such as sqlite:other.db");
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync().ConfigureAwait(false);
        await renewing.ConfigureAwait(false);
        stop.Dispose();
    }

    private async Task RenewAsync()
    {
        var renewed = time.GetTimestamp();
        using var timer = new PeriodicTimer(duration / 5, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop.Token).ConfigureAwait(false))
            {
                try
                {
                    await store.RenewAsync(duration, stop.Token).ConfigureAwait(false);
                    renewed = time.GetTimestamp();
                }
                catch (StoreException e) when (e is not FencingLostException && time.GetElapsedTime(renewed) < duration)
                {
                    CoordinatorLog.LeaseNotRenewed(log, e.Message);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
        catch (StoreException e)
        {
            CoordinatorLog.LeaseLost(log, e.Message);
            lost.TrySetResult(e.Message);
        }
    }
}

/// <summary>Names a process so that another one on the same machine can see whether it has ended.</summary>
internal static class ProcessOwner
{
    public static string Describe()
    {
        using var self = Process.GetCurrentProcess();
        return string.Create(CultureInfo.InvariantCulture, $"process {self.Id} started {StartOf(self)} on {Machine()}");
    }

    /// <summary>Only a process of this very machine and process namespace can be known to be gone.</summary>
    public static bool IsGone(string owner)
    {
        var words = owner.Split(' ', 6);
        if (words is not ["process", var id, "started", var start, "on", var machine] || machine != Machine())
            return false;
        try
        {
            using var process = Process.GetProcessById(int.Parse(id, CultureInfo.InvariantCulture));
            // Each process works out start times from its own reading of the clock, so they differ a little.
            return process.HasExited || Math.Abs(StartOf(process) - long.Parse(start, CultureInfo.InvariantCulture)) > 2000;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or FormatException)
        {
            return true;
        }
    }

    private static long StartOf(Process process) => new DateTimeOffset(process.StartTime).ToUnixTimeMilliseconds();

    private static string Machine()
    {
        var space = OperatingSystem.IsLinux() ? new FileInfo("/proc/self/ns/pid").LinkTarget ?? "" : "";
        return $"{Environment.MachineName} {space}".TrimEnd();
    }
}
