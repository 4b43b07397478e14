using System.Security.Cryptography;
using AdderNet.Cli.CommandLine;

namespace AdderNet.Cli.Training;

/// <summary>What the processes of one training are started with.</summary>
/// <param name="Output">The run's output directory; logs go to its <c>logs</c> folder.</param>
/// <param name="Workers">Number of worker processes.</param>
/// <param name="Threads">Compute threads of each worker.</param>
/// <param name="DecodeThreads">Threads of each worker that decode samples.</param>
/// <param name="Data">Data directory of the workers; null: what the description says.</param>
/// <param name="LogFormat">text or json.</param>
/// <param name="Replace">Whether dead workers are replaced.</param>
internal sealed record FleetPlan(string Output, int Workers, int Threads, int DecodeThreads, string? Data, string LogFormat, bool Replace)
{
    public string Logs => Path.Combine(Output, "logs");

    public string Store => "sqlite:" + Path.Combine(Output, "coordinator.db");
}

/// <summary>The processes of one training: one coordinator and its workers, kept alive until the run is over.</summary>
internal sealed class Fleet(FleetPlan plan, TimeProvider clock, Action<string> say) : IAsyncDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(20);

    // A worker that ends by itself does so because the run is over: news of that may still be on its way.
    private static readonly TimeSpan NewsPatience = TimeSpan.FromMilliseconds(700);

    private readonly Lock gate = new();
    private readonly HttpClient http = new();
    private readonly SortedDictionary<int, WorkerProcess> workers = [];
    private ChildProcess? coordinator;
    private int started;

    private sealed record WorkerProcess(string Id, ChildProcess Child);

    /// <summary>Where the coordinator answers; the same after it was started again.</summary>
    public Uri? Url { get; private set; }

    /// <summary>Starts the coordinator and waits until it listens.</summary>
    /// <exception cref="CommandFailedException">It ends instead; the message carries the last line of its log.</exception>
    public async Task<Uri> StartCoordinatorAsync(CancellationToken cancellation)
    {
        var log = Path.Combine(plan.Logs, "coordinator.log");
        var listen = Url ?? new Uri("http://127.0.0.1:0");
        var child = ChildProcess.Start(
            ["coordinator", "--supervised", "--listen", listen.ToString(), "--store", plan.Store, "--log-format", plan.LogFormat], new LogFile(log).Append);
        lock (gate)
            coordinator = child;
        string? line;
        try
        {
            line = await child.FirstLine.WaitAsync(StartPatience, clock, cancellation).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            child.Kill();
            throw new CommandFailedException($"the coordinator does not listen after {StartPatience.TotalSeconds:0} s; its log: {log}");
        }

        var url = line?.Split(' ').LastOrDefault(word => word.StartsWith("http", StringComparison.Ordinal));
        if (url is null)
        {
            await child.WaitAsync(cancellation).ConfigureAwait(false);
            throw new CommandFailedException($"the coordinator ended with status {child.ExitCode}: {LastLine(log)}");
        }

        Url = new Uri(url);
        WriteProcesses();
        return Url;
    }

    /// <summary>Starts every worker.</summary>
    public void StartWorkers()
    {
        for (var place = 1; place <= plan.Workers; place++)
            StartWorker(place);
    }

    /// <summary>Keeps the processes alive until <paramref name="over"/> is cancelled.</summary>
    /// <param name="committedStep">The newest committed step that is known.</param>
    /// <param name="over">Cancelled once the run has ended, or is to end.</param>
    /// <returns>Null when the run was over first, else why training cannot go on.</returns>
    public async Task<string?> SuperviseAsync(Func<ulong> committedStep, CancellationToken over)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(over);
        var keepCoordinator = KeepCoordinatorAsync(committedStep, ending.Token);
        var keepWorkers = Task.WhenAll(Enumerable.Range(1, plan.Workers).Select(place => KeepWorkerAsync(place, committedStep, ending.Token)));
        var first = await Task.WhenAny(keepCoordinator, keepWorkers).ConfigureAwait(false);
        var isOver = over.IsCancellationRequested;
        await ending.CancelAsync().ConfigureAwait(false);
        var coordinatorReason = await keepCoordinator.ConfigureAwait(false);
        var workerReasons = (await keepWorkers.ConfigureAwait(false)).Where(reason => reason is not null).Distinct();
        if (isOver)
            return null;
        return first == keepCoordinator ? coordinatorReason : "no worker is left: " + string.Join("; ", workerReasons);
    }

    /// <summary>Asks every process to end, workers first, and makes sure that they do.</summary>
    public async Task StopAsync()
    {
        List<WorkerProcess> stopping;
        lock (gate)
            stopping = [.. workers.Values];
        await Task.WhenAll(stopping.Select(worker => worker.Child.StopAsync(StopPatience, clock))).ConfigureAwait(false);
        if (coordinator is not null)
            await coordinator.StopAsync(StopPatience, clock).ConfigureAwait(false);
    }

    /// <summary>Ends every process now.</summary>
    public void Kill()
    {
        lock (gate)
        {
            foreach (var worker in workers.Values)
                worker.Child.Kill();
            coordinator?.Kill();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var worker in workers.Values)
            await worker.Child.DisposeAsync().ConfigureAwait(false);
        workers.Clear();
        if (coordinator is not null)
            await coordinator.DisposeAsync().ConfigureAwait(false);
        coordinator = null;
        http.Dispose();
        WriteProcesses();
    }

    private async Task<string?> KeepCoordinatorAsync(Func<ulong> committedStep, CancellationToken over)
    {
        var history = RestartHistory.None;
        while (await CoordinatorDiedAsync(coordinator!, over).ConfigureAwait(false))
        {
            (history, var decision) = RestartPolicy.Decide(history, "the coordinator", coordinator!.ExitCode, committedStep(), allowed: true);
            say(decision.Reason);
            if (!decision.Restart)
                return decision.Reason;
            await coordinator.DisposeAsync().ConfigureAwait(false);
            try
            {
                await Task.Delay(decision.Delay, clock, over).ConfigureAwait(false);
                await StartCoordinatorAsync(over).ConfigureAwait(false);
            }
            catch (CommandFailedException e)
            {
                say(e.Message);
            }
            catch (OperationCanceledException)
            {
                return null;
            }
        }

        return null;
    }

    private async Task<string?> KeepWorkerAsync(int place, Func<ulong> committedStep, CancellationToken over)
    {
        var history = RestartHistory.None;
        while (true)
        {
            WorkerProcess worker;
            lock (gate)
                worker = workers[place];
            if (!await DiedAsync(worker.Child, over).ConfigureAwait(false))
                return null;
            (history, var decision) = RestartPolicy.Decide(
                history, $"worker {worker.Id} (process {worker.Child.Id})", worker.Child.ExitCode, committedStep(), plan.Replace);
            var reason = decision.Reason + (worker.Child.ExitCode == ExitCode.NotDone ? $" [{LastLine(WorkerLog(place))}]" : "");
            say(reason);
            lock (gate)
                workers.Remove(place);
            await worker.Child.DisposeAsync().ConfigureAwait(false);
            WriteProcesses();
            if (!decision.Restart)
                return reason;
            try
            {
                await Task.Delay(decision.Delay, clock, over).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return null;
            }

            StartWorker(place);
        }
    }

    /// <summary>A coordinator that hangs is ended: only one that has surely stopped gives its port and its store to the next one at once.</summary>
    private async Task<bool> CoordinatorDiedAsync(ChildProcess child, CancellationToken over)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(over);
        var watching = WatchAsync();
        var died = await DiedAsync(child, over).ConfigureAwait(false);
        await ended.CancelAsync().ConfigureAwait(false);
        await watching.ConfigureAwait(false);
        return died;

        async Task WatchAsync()
        {
            try
            {
                await new CoordinatorPulse(http, clock).UntilHungAsync(Url!, ended.Token).ConfigureAwait(false);
                say($"the coordinator (process {child.Id}) has not answered {CoordinatorPulse.MostMissed} questions in a row: it is ended and started again");
                child.Kill();
            }
            catch (OperationCanceledException)
            {
                // It ended by itself, or the run is over.
            }
        }
    }

    // True when the process died; false when the run was over before or at the same time.
    private async Task<bool> DiedAsync(ChildProcess child, CancellationToken over)
    {
        try
        {
            await child.WaitAsync(over).ConfigureAwait(false);
            if (child.ExitCode < 128)
                await Task.Delay(NewsPatience, clock, over).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private void StartWorker(int place)
    {
        // A new process is a new member: its id is never used again.
        var id = $"w{place}-{Interlocked.Increment(ref started)}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(3))}";
        List<string> arguments =
        [
            "worker", "--supervised", "--id", id, "--coordinator", Url!.ToString(), "--listen", "http://127.0.0.1:0",
            "--threads", plan.Threads.ToString(), "--decode-threads", plan.DecodeThreads.ToString(), "--log-format", plan.LogFormat,
        ];
        if (plan.Data is not null)
            arguments.AddRange(["--data", plan.Data]);
        lock (gate)
            workers[place] = new WorkerProcess(id, ChildProcess.Start(arguments, new LogFile(WorkerLog(place)).Append));
        WriteProcesses();
    }

    private string WorkerLog(int place) => Path.Combine(plan.Logs, $"worker-{place}.log");

    private void WriteProcesses()
    {
        lock (gate)
        {
            var file = new ProcessesFile(
                coordinator?.Id, coordinator is null ? null : Url?.ToString(),
                [.. workers.Values.Select(worker => new WorkerEntry(worker.Id, worker.Child.Id))]);
            try
            {
                file.Write(plan.Output);
            }
            catch (IOException e)
            {
                say($"cannot write {ProcessesFile.Name}: {e.Message}");
            }
        }
    }

    private static string LastLine(string file)
    {
        try
        {
            return File.ReadLines(file).LastOrDefault(line => line.Length > 0)?.Trim() ?? "it wrote nothing";
        }
        catch (IOException)
        {
            return "see " + file;
        }
    }
}
