using System.Diagnostics;
using System.Globalization;
using AdderNet.Coordinator.Store;
using Microsoft.Extensions.Logging;

namespace AdderNet.Coordinator.Hosting;

/// <summary>
/// Keeps the store ours: takes its lease, renews it, and says when it is lost. While it cannot be renewed another
/// coordinator may take over, so nothing is decided; once it is renewed, all goes on.
/// </summary>
internal sealed class StoreLease : IAsyncDisposable
{
    private readonly IRunStore store;
    private readonly TimeSpan duration;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private readonly CancellationTokenSource stop = new();
    private readonly TaskCompletionSource<string> lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task renewing;
    private long renewed;

    private StoreLease(IRunStore store, TimeSpan duration, long taken, TimeProvider time, ILogger log)
    {
        this.store = store;
        this.duration = duration;
        this.time = time;
        this.log = log;
        renewed = taken;
        renewing = RenewAsync();
    }

    /// <summary>Completes with the reason when another coordinator may hold the store.</summary>
    public Task<string> Lost => lost.Task;

    /// <summary>Whether nobody else can hold the store now; a fifth of the lease is kept as a margin for what is under way.</summary>
    public bool IsHeld => !lost.Task.IsCompleted && time.GetElapsedTime(Volatile.Read(ref renewed)) < duration * 0.8;

    /// <exception cref="StoreException">The store cannot be used, or another coordinator holds it and this one is no standby.</exception>
    public static async Task<StoreLease> TakeAsync(
        IRunStore store, LeaseOwner owner, TimeSpan duration, bool standby, TimeProvider time, ILogger log, CancellationToken cancellation)
    {
        for (var seen = ""; ;)
        {
            var asked = time.GetTimestamp();
            var holder = await store.AcquireAsync(owner, duration, ProcessOwner.IsGone, cancellation).ConfigureAwait(false);
            if (holder is null)
                return new StoreLease(store, duration, asked, time, log);
            if (!standby)
                throw new StoreException($"store {store.Name} is held by another coordinator ({holder}): stop that one, start this one with --standby, or name another store, such as sqlite:other.db");
            if (seen != holder)
                CoordinatorLog.StandingBy(log, holder, store.Name);
            seen = holder;
            await Task.Delay(duration / 5, time, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Waits until nobody else can hold the store.</summary>
    /// <returns>Null, or why it is lost.</returns>
    public async ValueTask<string?> UntilHeldAsync(CancellationToken cancellation)
    {
        if (IsHeld)
            return null;
        if (!lost.Task.IsCompleted)
            CoordinatorLog.LeaseDoubtful(log);
        while (!IsHeld && !lost.Task.IsCompleted)
            await Task.Delay(duration / 100, time, cancellation).ConfigureAwait(false);
        if (lost.Task.IsCompleted)
            return await lost.Task.ConfigureAwait(false);
        CoordinatorLog.LeaseSure(log);
        return null;
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync().ConfigureAwait(false);
        await renewing.ConfigureAwait(false);
        stop.Dispose();
    }

    private async Task RenewAsync()
    {
        using var timer = new PeriodicTimer(duration / 5, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop.Token).ConfigureAwait(false))
            {
                var asked = time.GetTimestamp();
                try
                {
                    await store.RenewAsync(duration, stop.Token).ConfigureAwait(false);
                    Volatile.Write(ref renewed, asked);
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
        catch (Exception e)
        {
            // Whatever it was: a lease that nobody renews must not keep this coordinator waiting for ever.
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
