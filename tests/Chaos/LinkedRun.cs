namespace AdderNet.Chaos;

/// <summary>
/// A coordinator and workers started one by one, each worker behind links of its own: one to the coordinator, and one
/// through which the other workers reach it.
/// </summary>
internal sealed class LinkedRun : ChaosRun
{
    private readonly List<LinkedWorker> workers = [];
    private readonly int port;
    private readonly Launched coordinator;
    private string runId = "";
    private int named;

    private LinkedRun(string config, string output, int port, Launched coordinator)
        : base(config, output) => (this.port, this.coordinator) = (port, coordinator);

    public override Target Coordinator => new("coordinator", coordinator.Id);

    public override IReadOnlyList<Target> Workers => [.. workers.Select(w => new Target(w.Id, w.Process.Id))];

    public IReadOnlyList<LinkedWorker> Linked => workers;

    /// <summary>Starts the coordinator, submits the run and starts its workers.</summary>
    public static async Task<LinkedRun> StartAsync(string config, string output, int workers)
    {
        Directory.CreateDirectory(output);
        var port = Link.FreePort();
        var url = $"http://127.0.0.1:{port}";
        var run = new LinkedRun(config, output, port, Launched.Start("coordinator", "--listen", url, "--store", $"sqlite:{Path.Combine(output, "coordinator.db")}"));
        var began = TimeProvider.System.GetTimestamp();
        while (!run.coordinator.Output.Contains(url, StringComparison.Ordinal))
        {
            if (run.coordinator.HasExited || TimeProvider.System.GetElapsedTime(began) > Patience)
                throw new ChaosException($"the coordinator does not listen: {run.coordinator.Output}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None);
        }

        var submitted = await Launched.RunAsync("submit", config, "--coordinator", url, "--set", $"checkpoint.path={output}");
        run.runId = submitted.Split([' ', '\r', '\n'], 2)[0];
        for (var i = 0; i < workers; i++)
            run.AddWorker();
        return run;
    }

    /// <summary>One more worker joins.</summary>
    public LinkedWorker AddWorker()
    {
        var listen = Link.FreePort();
        var (up, down) = (new Link(port), new Link(listen));
        var id = $"linked-{++named}";
        var worker = new LinkedWorker(id, up, down, Launched.Start(
            "worker", "--id", id, "--coordinator", up.Address.ToString(), "--run", runId, "--listen", $"http://127.0.0.1:{listen}", "--advertise", down.Address.ToString(), "--threads", "1"));
        workers.Add(worker);
        return worker;
    }

    /// <summary>A worker that was asked to leave has handed over and ended with 0.</summary>
    public async Task LeaveAsync(LinkedWorker worker)
    {
        worker.Process.Signal(Signals.Terminate);
        await worker.Process.WaitAsync().WaitAsync(Patience);
        if (worker.Process.ExitCode != 0)
            throw new ChaosException($"{worker.Id} was asked to leave and ended with {worker.Process.ExitCode}: {worker.Process.Output}");
        workers.Remove(worker);
        await worker.DisposeAsync();
    }

    /// <summary>Resident memory of the coordinator and every worker, in MiB.</summary>
    /// <exception cref="ChaosException">One of them has ended.</exception>
    public double[] Memory()
    {
        foreach (var (name, process) in workers.Select(w => (w.Id, w.Process)).Prepend(("coordinator", coordinator)))
        {
            if (process.HasExited)
                throw new ChaosException($"{name} ended with {process.ExitCode}: {process.Output}");
        }

        return [.. workers.Select(w => w.Process.Id).Prepend(coordinator.Id).Select(Signals.MemoryOf)];
    }

    public override string Said => string.Join('\n', [coordinator.Output, .. workers.Select(w => $"{w.Id}:\n{string.Join('\n', w.Process.Output.Split('\n').TakeLast(6))}")]);

    /// <summary>The coordinator ends; the run stays in its store, to be gone on with.</summary>
    public override async Task StopAsync()
    {
        coordinator.Signal(Signals.Terminate);
        await coordinator.WaitAsync();
    }

    /// <summary>Waits until every worker ended by itself, since the run is over.</summary>
    public async Task CompleteAsync()
    {
        foreach (var worker in workers)
        {
            await worker.Process.WaitAsync();
            if (worker.Process.ExitCode != 0)
                throw new ChaosException($"{worker.Id} ended with {worker.Process.ExitCode}: {worker.Process.Output}");
        }
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var worker in workers)
            await worker.DisposeAsync();
        await coordinator.DisposeAsync();
        await base.DisposeAsync();
    }
}

/// <summary>A worker behind its links.</summary>
internal sealed record LinkedWorker(string Id, Link Up, Link Down, Launched Process) : IAsyncDisposable
{
    public void Cut()
    {
        Up.Cut();
        Down.Cut();
    }

    public void Heal()
    {
        Up.Heal();
        Down.Heal();
    }

    /// <summary>The two no longer reach one another, but each still reaches everybody else.</summary>
    public void CutFrom(LinkedWorker other)
    {
        Down.CutFrom(other.Process.Id);
        other.Down.CutFrom(Process.Id);
    }

    public async ValueTask DisposeAsync()
    {
        await Process.DisposeAsync();
        await Up.DisposeAsync();
        await Down.DisposeAsync();
    }
}
