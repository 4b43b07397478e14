using AdderNet.Simulation.Processes;

namespace AdderNet.Simulation.Faults;

/// <summary>Strikes when the schedule says so: at a time, or when some process passes a scripted moment.</summary>
internal sealed class FaultInjector
{
    private readonly World world;
    private readonly List<Fault> scripted;
    private readonly Dictionary<Site, int> passed = [];
    private readonly Draws draws;

    public FaultInjector(World world, FaultSchedule schedule)
    {
        this.world = world;
        draws = new Draws(~world.Scenario.Seed, DrawStream.Faults);
        scripted = [.. schedule.Faults.Where(f => f.Where is not null)];
        foreach (var fault in schedule.Faults.Where(f => f.Where is null))
            world.Time.At(fault.At, () => Strike(fault, null));
        world.Time.At(schedule.CalmAt, world.Calm);
    }

    public FaultLog Log { get; } = new();

    /// <summary>A process is at a moment at which a fault may strike it, or another one.</summary>
    public void Pass(Site site, SimulatedProcess actor)
    {
        var times = passed[site] = passed.GetValueOrDefault(site) + 1;
        if (world.IsCalm)
            return;
        for (var i = 0; i < scripted.Count; i++)
        {
            if (scripted[i] is not { } fault || fault.Where != site || fault.Nth != times)
                continue;
            scripted.RemoveAt(i--);
            Strike(fault, actor);
        }
    }

    private void Strike(Fault fault, SimulatedProcess? actor)
    {
        if (world.IsCalm || world.Watch.IsOver)
            return;
        var living = world.Workers.ToList();
        var worker = actor as SimulatedWorker ?? (living.Count == 0 ? null : draws.Of(living));
        var coordinators = world.Coordinators.Where(c => c.IsAlive).ToList();
        var coordinator = actor as SimulatedCoordinator ?? (coordinators.Count == 0 ? null : draws.Of(coordinators));
        var phase = world.Holder?.State?.Phase.GetType().Name ?? "no coordinator";
        if (!Do(fault, worker, coordinator))
            return;
        Log.Count(fault.Kind, phase);
        world.Story.Tell(world.Time.Now, "FAULT", $"{fault.Kind} strikes while {phase}{(fault.Where is { } site ? $", at {site} {fault.Nth}" : "")} (worker {worker?.Name ?? "-"}, coordinator {coordinator?.Name ?? "-"}, {fault.Length.TotalSeconds:0.00} s)");
    }

    /// <summary>False when there is nothing that it could strike.</summary>
    private bool Do(Fault fault, SimulatedWorker? worker, SimulatedCoordinator? coordinator)
    {
        switch (fault.Kind)
        {
            case FaultKind.JoinWorker when world.Workers.Count < 7:
                world.StartWorker();
                return true;
            case FaultKind.RivalCoordinator when world.Coordinators.Count(c => c.IsAlive) < 3:
                world.StartCoordinator("rival", draws.OneIn(2) ? TimeSpan.FromSeconds(8) : default);
                return true;
            case FaultKind.KillEverything:
                foreach (var process in world.Workers.Concat<SimulatedProcess>(world.Coordinators.Where(c => c.IsAlive)).ToList())
                    process.Die();
                return true;
            case FaultKind.KillVoters when world.Holder?.State?.Generation is { } plan:
                // After the commit that the mean belongs to, as a rule.
                world.Time.In(draws.Milliseconds(1, 300), () => world.Workers.Where(w => plan.Find(w.Name) is { Votes: true }).ToList().ForEach(w => w.Die()));
                if (worker is not null && draws.OneIn(2))
                {
                    // Whoever is left reports what it holds before it notices that the next mean will not come.
                    worker.Disturb();
                    worker.LeaveSession(draws.Milliseconds(1, 300));
                }

                return true;
            case FaultKind.DieUngranted when worker is not null:
                // The store takes longer than a session may stay closed.
                world.StoreSlowUntil = world.Time.Now + TimeSpan.FromSeconds(1);
                worker.Die();
                return true;
            case FaultKind.DieUnwritten when coordinator is not null:
                coordinator.Die();
                return true;
            case FaultKind.RotUnnoticed when world.Disk.Checkpoints().FirstOrDefault() is { Content: not null } looked:
                // Whoever comes next has to begin there, and the coordinator goes on, which has found it whole.
                world.Disk.Corrupt(looked.File);
                world.Watch.Corrupted = true;
                foreach (var process in world.Workers.ToList())
                    process.Die();
                return true;
            case FaultKind.FailStore:
                world.StoreAwayUntil = world.Time.Now + fault.Length;
                return true;
            case FaultKind.FullDisk:
                world.DiskIsFull = true;
                world.Time.In(fault.Length, () => world.DiskIsFull = false);
                return true;
            case FaultKind.CorruptCheckpoint when world.Disk.Checkpoints().FirstOrDefault() is { Content: not null } newest:
                world.Disk.Corrupt(newest.File);
                world.Watch.Corrupted = true;
                return true;
        }

        return (worker is not null && DoTo(fault, worker, coordinator)) || (coordinator is not null && DoTo(fault, coordinator));
    }

    private bool DoTo(Fault fault, SimulatedWorker worker, SimulatedCoordinator? coordinator)
    {
        worker.Disturb();
        switch (fault.Kind)
        {
            case FaultKind.KillWorker:
                worker.Die();
                return true;
            case FaultKind.VanishWorker:
                worker.Die(vanishes: true);
                return true;
            case FaultKind.StopWorker:
                return Stop(worker, fault.Length);
            case FaultKind.HangWorker:
                return worker.Next.Hangs = true;
            case FaultKind.SlowWorker:
                worker.Slowness *= 3;
                return true;
            case FaultKind.LeaveWorker:
                worker.AskToLeave();
                return true;
            case FaultKind.FailApply:
                return worker.Next.FailsApply = true;
            case FaultKind.FlipBits:
                return worker.Next.Flips = true;
            case FaultKind.FlipUnheard:
                return worker.Next.Flips = worker.Next.LosesVote = true;
            case FaultKind.WorkAlone:
                return worker.Next.WorksAlone = true;
            case FaultKind.LateVote:
                return worker.Next.VotesLate = true;
            case FaultKind.RepeatReport when worker.Coordinator is not null:
                worker.LeaveSession(world.Work.Milliseconds(1, 100));
                return worker.Next.RepeatsReport = true;
            case FaultKind.SpoilBase when !world.Workers.Exists(w => w.Next.SpoilsBase):
                return worker.Next.SpoilsBase = true;
            case FaultKind.BreakSession when worker.Coordinator is not null:
                worker.Connections.FirstOrDefault(c => !c.IsServedBy(worker))?.Break();
                return true;
            case FaultKind.CutWorker when coordinator is not null:
                return Cut(worker, coordinator, bothWays: true, fault.Length);
            case FaultKind.CutWorkerOneWay when coordinator is not null:
                return draws.OneIn(2) ? Cut(worker, coordinator, false, fault.Length) : Cut(coordinator, worker, false, fault.Length);
            case FaultKind.CutPeers or FaultKind.CutPeersOneWay:
                var others = world.Workers.Where(w => w != worker).ToList();
                return others.Count > 0 && Cut(worker, draws.Of(others), fault.Kind == FaultKind.CutPeers, fault.Length);
            default:
                return false;
        }
    }

    private bool DoTo(Fault fault, SimulatedCoordinator coordinator)
    {
        switch (fault.Kind)
        {
            case FaultKind.KillCoordinator:
                coordinator.Die();
                return true;
            case FaultKind.VanishCoordinator:
                coordinator.Die(vanishes: true);
                return true;
            case FaultKind.StopCoordinator:
                return Stop(coordinator, fault.Length);
            case FaultKind.JumpClock:
                coordinator.ClockError += draws.Milliseconds(-20_000, 20_000);
                return true;
            case FaultKind.CutStore:
                world.StoreCuts[coordinator.Machine] = world.Time.Now + fault.Length;
                return true;
            default:
                return false;
        }
    }

    private bool Stop(SimulatedProcess process, TimeSpan length)
    {
        if (!process.IsAlive || process.IsStopped)
            return false;
        process.Disturb();
        process.Stop();
        world.Time.In(length, () =>
        {
            if (process is not { IsAlive: true, IsStopped: true })
                return;
            world.Story.Tell(world.Time.Now, process.Name, $"goes on");
            process.Disturb();
            process.Continue();
        });
        return true;
    }

    private bool Cut(SimulatedProcess one, SimulatedProcess other, bool bothWays, TimeSpan length)
    {
        world.Network.Cut(one.Machine, other.Machine);
        if (bothWays)
            world.Network.Cut(other.Machine, one.Machine);
        world.Time.In(length, () =>
        {
            world.Network.Heal(one.Machine, other.Machine);
            world.Network.Heal(other.Machine, one.Machine);
            one.Disturb();
            other.Disturb();
        });
        other.Disturb();
        return true;
    }
}
