namespace AdderNet.Chaos;

/// <summary>What is struck, and how often.</summary>
internal enum Event
{
    KillWorker,
    KillCoordinator,
    StopWorker,
    CutLink,
}

/// <summary>Strikes a run and measures the time from each event to the next committed step.</summary>
internal static class Recoveries
{
    /// <summary>Steps between two events: whoever came back is measured and settled.</summary>
    private const int Between = 15;

    /// <summary>Kills a worker with SIGKILL; train replaces it.</summary>
    public static async Task<TimeSpan> KillWorkerAsync(TrainRun run, int world, int turn)
    {
        var before = await run.SteadyAsync(world, Between);
        var victim = run.Workers[turn % run.Workers.Count];
        var moment = TimeProvider.System.GetTimestamp();
        Signals.Send(victim.ProcessId, Signals.Kill);
        var took = await run.RecoveredAsync(moment, before.Generation);
        if (run.Workers.Any(w => w.ProcessId == victim.ProcessId))
            throw new ChaosException($"worker {victim} was killed, but {run.Output}/processes.json still names it");
        return took;
    }

    /// <summary>Kills the coordinator with SIGKILL; train starts it again on its store.</summary>
    public static async Task<TimeSpan> KillCoordinatorAsync(TrainRun run, int world)
    {
        var before = await run.SteadyAsync(world, Between);
        var victim = run.Coordinator;
        var moment = TimeProvider.System.GetTimestamp();
        Signals.Send(victim.ProcessId, Signals.Kill);
        var took = await run.RecoveredAsync(moment, before.Generation);
        if (run.Coordinator.ProcessId == victim.ProcessId)
            throw new ChaosException($"coordinator {victim} was killed, but it still runs");
        return took;
    }

    /// <summary>Stops a worker with SIGSTOP until the others have gone on without it, then lets it go on: it joins anew.</summary>
    public static async Task<TimeSpan> StopWorkerAsync(ChaosRun run, int world, int turn)
    {
        var before = await run.SteadyAsync(world, Between);
        var victim = run.Workers[turn % run.Workers.Count];
        var moment = TimeProvider.System.GetTimestamp();
        Signals.Send(victim.ProcessId, Signals.Stop);
        try
        {
            var took = await run.RecoveredAsync(moment, before.Generation);
            if (Signals.StateOf(victim.ProcessId) != 'T')
                throw new ChaosException($"worker {victim} was stopped, but its state is {Signals.StateOf(victim.ProcessId)}");
            return took;
        }
        finally
        {
            Signals.Send(victim.ProcessId, Signals.Continue);
        }
    }

    /// <summary>Cuts all links of a worker until the others have gone on without it, then heals them.</summary>
    public static async Task<TimeSpan> CutLinkAsync(LinkedRun run, int world, int turn)
    {
        var before = await run.SteadyAsync(world, Between);
        var victim = run.Linked[turn % run.Linked.Count];
        var held = victim.Up.Held;
        var moment = TimeProvider.System.GetTimestamp();
        victim.Cut();
        try
        {
            var took = await run.RecoveredAsync(moment, before.Generation);
            if (victim.Up.Held == held)
                throw new ChaosException($"the link of {victim.Id} was cut, but nothing was kept from passing");
            return took;
        }
        finally
        {
            victim.Heal();
        }
    }
}
