namespace AdderNet.Chaos;

/// <summary>What is struck, and how often.</summary>
internal enum Event
{
    KillWorker,
    KillCoordinator,
    StopWorker,
    CutLink,
    CutPair,
    AddWorker,
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

    /// <summary>Cuts the link between two workers, who both still reach the coordinator and the third, until the run has gone on without one of them.</summary>
    public static async Task<TimeSpan> CutPairAsync(LinkedRun run, int world, int turn)
    {
        var before = await run.SteadyAsync(world, Between);
        var (one, other) = (run.Linked[turn % world], run.Linked[(turn + 1) % world]);
        var (held, heldToo) = (one.Down.Held, other.Down.Held);
        var moment = TimeProvider.System.GetTimestamp();
        one.CutFrom(other);
        try
        {
            var took = await run.RecoveredAsync(moment, before.Generation, world - 1);
            if (one.Down.Held == held || other.Down.Held == heldToo)
                throw new ChaosException($"the link between {one.Id} and {other.Id} was cut, but nothing was kept from passing");
            return took;
        }
        finally
        {
            one.Heal();
            other.Heal();
        }
    }

    /// <summary>Adds a worker in mid-run until it computes, then asks it to leave; nobody waits for either, and no step is made twice.</summary>
    /// <returns>The longest time from one committed step to the next between its start and the first step after it left.</returns>
    public static async Task<TimeSpan> AddWorkerAsync(LinkedRun run, int world)
    {
        await run.SteadyAsync(world, Between);
        var from = run.Commits.Count - 1;
        var added = run.AddWorker();
        await run.SteadyAsync(world + 1, Between);
        await run.LeaveAsync(added);
        await run.SteadyAsync(world, Between);
        var commits = run.Commits.Seen.Skip(from).ToList();
        var pairs = commits.Zip(commits.Skip(1)).ToList();
        if (pairs.Find(p => p.Second.Step != p.First.Step + 1) is { Second: not null } odd)
            throw new ChaosException($"while {added.Id} came and went, step {odd.Second.Step} of generation {odd.Second.Generation} followed step {odd.First.Step}");
        return pairs.Max(p => TimeProvider.System.GetElapsedTime(p.First.Stamp, p.Second.Stamp));
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
