using AdderNet.Simulation.Faults;
using AdderNet.Simulation.Invariants;
using AdderNet.Simulation.Model;
using AdderNet.Simulation.Network;
using AdderNet.Simulation.Processes;
using AdderNet.Simulation.Store;
using AdderNet.Simulation.Time;

namespace AdderNet.Simulation;

/// <summary>All that one seed plays with: machines, network, store, disk, and those who start dead processes again.</summary>
internal sealed class World
{
    private readonly Dictionary<string, SimulatedWorker> byId = [];
    private readonly FaultInjector injector;
    private readonly Draws storeDraws;
    private int named;
    private int coordinatorsNamed;

    public World(Scenario scenario, FaultSchedule faults, Story story)
    {
        (Scenario, Story) = (scenario, story);
        Model = scenario.Model();
        Undisturbed = new UndisturbedRun(Model, scenario.Steps);
        Network = new SimulatedNetwork(Time, new Draws(scenario.Seed, DrawStream.Network), scenario.Weather);
        Work = new Draws(scenario.Seed, DrawStream.Work);
        storeDraws = new Draws(scenario.Seed, DrawStream.Store);
        Watch = new Watch(this);
        injector = new FaultInjector(this, faults);
        StartCoordinator("head");
        for (var i = 0; i < scenario.Workers; i++)
            StartWorker();
        Supervise();
    }

    public Scenario Scenario { get; }

    public Story Story { get; }

    public Timeline Time { get; } = new();

    public GradientModel Model { get; }

    public UndisturbedRun Undisturbed { get; }

    public SimulatedNetwork Network { get; }

    public SimulatedStore Store { get; } = new();

    public SimulatedDisk Disk { get; } = new();

    public Draws Work { get; }

    public Watch Watch { get; }

    public FaultLog Struck => injector.Log;

    /// <summary>No more faults come, and those that last have ended.</summary>
    public bool IsCalm { get; private set; }

    public TimeSpan CalmSince { get; private set; }

    public bool DiskIsFull { get; set; }

    /// <summary>Until when the store fails for everyone.</summary>
    public TimeSpan StoreAwayUntil { get; set; }

    /// <summary>Until when the store takes its time over each write.</summary>
    public TimeSpan StoreSlowUntil { get; set; }

    /// <summary>Machines that cannot reach the store, and until when.</summary>
    public Dictionary<string, TimeSpan> StoreCuts { get; } = [];

    public List<SimulatedCoordinator> Coordinators { get; } = [];

    /// <summary>Worker processes that live.</summary>
    public List<SimulatedWorker> Workers { get; } = [];

    /// <summary>The coordinator that holds the store, or null.</summary>
    public SimulatedCoordinator? Holder => Coordinators.FirstOrDefault(c => c.Listens && c.Token == Store.HighestToken);

    /// <summary>A path below the output directory.</summary>
    public static string Below(string path) => path.StartsWith("/run/", StringComparison.Ordinal) ? path["/run/".Length..] : path;

    public SimulatedWorker? Worker(string id) => byId.GetValueOrDefault(id);

    public void Pass(Site site, SimulatedProcess actor) => injector.Pass(site, actor);

    public TimeSpan StoreDelay() => Time.Now < StoreSlowUntil ? storeDraws.Milliseconds(700, 1500)
        : storeDraws.OneIn(60) ? storeDraws.Milliseconds(10, 400) : storeDraws.Milliseconds(0.2, 4);

    public bool StoreFails(SimulatedCoordinator coordinator) =>
        Time.Now < StoreAwayUntil || (StoreCuts.TryGetValue(coordinator.Machine, out var until) && Time.Now < until);

    /// <summary>Only a process of the same machine can be known to be gone.</summary>
    public Func<string, bool> IsKnownDead(SimulatedCoordinator asking) => owner =>
        Coordinators.Find(c => c.Name == owner) is { IsAlive: false, Vanished: false } dead && dead.Machine == asking.Machine;

    /// <summary>The coordinator that a worker's connection attempt meets: one that listens, else whatever is there.</summary>
    public SimulatedCoordinator? Reachable(SimulatedWorker worker)
    {
        var listening = Coordinators.Where(c => c.Listens).ToList();
        return listening.Count switch
        {
            0 => null,
            1 => listening[0],
            _ => Work.Of(listening),
        };
    }

    public SimulatedCoordinator StartCoordinator(string machine, TimeSpan clockError = default)
    {
        var coordinator = new SimulatedCoordinator(this, $"c{++coordinatorsNamed}", machine) { ClockError = clockError };
        Coordinators.Add(coordinator);
        Story.Tell(Time.Now, coordinator.Name, $"starts on {machine}");
        return coordinator;
    }

    public SimulatedWorker StartWorker()
    {
        var worker = new SimulatedWorker(this, $"w{++named}", 1 + Work.Below(3)) { BornAt = Time.Now };
        Workers.Add(worker);
        byId[worker.Name] = worker;
        Story.Tell(Time.Now, worker.Name, $"starts");
        return worker;
    }

    /// <summary>What <c>train</c> does about a dead worker.</summary>
    public void WorkerDied(SimulatedWorker worker)
    {
        Workers.Remove(worker);
        if (Watch.HasEnded || worker.Exit is { Failed: false })
            return;
        if (Scenario.Replaces)
            Time.In(Work.Milliseconds(50, 1200), () => StartWorker());
    }

    /// <summary>Faults end: links heal, stopped processes go on, and there are enough machines again.</summary>
    public void Calm()
    {
        (IsCalm, CalmSince, DiskIsFull, StoreAwayUntil) = (true, Time.Now, false, default);
        Story.Tell(Time.Now, "world", $"no more faults");
        Network.IsRough = false;
        Network.HealAll();
        StoreCuts.Clear();
        foreach (var worker in Workers)
            worker.ForgetFaults();
        foreach (var process in Workers.Concat<SimulatedProcess>(Coordinators).Where(p => p is { IsAlive: true, IsStopped: true }).ToList())
            process.Continue();
    }

    /// <summary>Starts what must be there and is not, and submits a run again that a fault of store or disk has ended.</summary>
    private void Supervise()
    {
        Time.In(TimeSpan.FromMilliseconds(250), () =>
        {
            if (!Coordinators.Exists(c => c.IsAlive) && Work.OneIn(2))
                StartCoordinator("head");
            if (Watch.HasEnded)
                return;
            var usable = Workers.Count(w => w is { IsHung: false });
            if (usable < Scenario.Description.Elastic.MinWorkers && Work.OneIn(4))
                StartWorker();
            if (Holder is { State.IsOver: true } holder && !Watch.HasEnded && Work.OneIn(4))
                holder.Resubmit();
            Supervise();
        });
    }
}
