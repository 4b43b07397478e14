using AdderNet.Coordinator.Hosting;
using AdderNet.Coordinator.RunLogic;
using AdderNet.Coordinator.Store;
using AdderNet.Protos.V1;
using AdderNet.Simulation.Network;

namespace AdderNet.Simulation.Processes;

/// <summary>
/// A coordinator process: takes the store's lease and keeps it, takes the run up, and feeds the run machine one event at a
/// time, the next when its decision is carried out.
/// </summary>
internal sealed class SimulatedCoordinator : SimulatedProcess
{
    private static readonly TimeSpan TickPeriod = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(5);

    private readonly World world;
    private readonly SimulatedExecutor executor;
    private readonly Queue<(RunEvent Event, TimeSpan At)> events = new();
    private readonly Dictionary<long, Connection> sessions = [];
    private readonly TimeSpan started;
    private bool busy;
    private long lastSession;
    private TimeSpan renewed;
    private TimeSpan latest;
    private StoreLost? lost;

    public SimulatedCoordinator(World world, string name, string machine)
        : base(world.Time, name, machine)
    {
        this.world = world;
        started = world.Time.Now;
        executor = new SimulatedExecutor(world, this, sessions.GetValueOrDefault, Lose, Finish);
        In(world.Work.Milliseconds(50, 300), TakeStore);
    }

    /// <summary>The run as this coordinator sees it; null before it has taken the store.</summary>
    public RunState? State { get; private set; }

    /// <summary>When it took the run up, and whom it then expected to come back.</summary>
    public (TimeSpan At, IReadOnlyList<string> Expected) TookUp { get; private set; } = (default, []);

    /// <summary>Its fencing token; 0 before it has the store.</summary>
    public long Token { get; private set; }

    /// <summary>How far its wall clock is ahead of true time.</summary>
    public TimeSpan ClockError { get; set; }

    /// <summary>Workers can open sessions.</summary>
    public bool Listens => IsAlive && State is not null;

    private TimeSpan Elapsed => world.Time.Now - started;

    private long WallMs => (long)(world.Time.Now + ClockError).TotalMilliseconds;

    /// <summary>Whether a session's connection lasts.</summary>
    public bool IsOpen(long session) => sessions.TryGetValue(session, out var connection) && !connection.IsBroken;

    /// <summary>A worker opens a session with its Hello.</summary>
    public void Open(Connection connection, string workerId, Hello hello)
    {
        var session = ++lastSession;
        sessions[session] = connection;
        connection.OnBroken(this, () =>
        {
            sessions.Remove(session);
            Post(new StreamClosed(workerId, session));
        });
        Post(new MemberConnected(workerId, session, WorkerMessages.Hello(hello).Info!));
    }

    /// <summary>A worker's message over its session.</summary>
    public void Receive(Connection connection, string workerId, WorkerMessage message)
    {
        foreach (var (session, open) in sessions)
        {
            if (open != connection)
                continue;
            if (WorkerMessages.Event(workerId, session, message) is { } @event)
                Post(@event);
            return;
        }
    }

    /// <summary>People submit the run again after it ended unfinished.</summary>
    public void Resubmit()
    {
        if (State is not { IsOver: true } || lost is not null)
            return;
        try
        {
            world.Store.Resubmit(Token);
        }
        catch (FencingLostException)
        {
            return;
        }

        world.Story.Tell(world.Time.Now, Name, $"the run is submitted again");
        events.Clear();
        TakeUp(underWay: false);
    }

    /// <summary>Hands in an event. It counts as of now, however long the run waits for its store before it is handled.</summary>
    public void Post(RunEvent @event)
    {
        events.Enqueue((@event, Elapsed));
        Drain();
    }

    private void TakeStore()
    {
        if (world.StoreFails(this))
        {
            world.Story.Tell(world.Time.Now, Name, $"cannot open the store and ends");
            Die();
            return;
        }

        var (token, holder) = world.Store.Acquire(Name, WallMs, LeaseDuration, world.IsKnownDead(this));
        if (token == 0)
        {
            world.Story.Tell(world.Time.Now, Name, $"is refused: {holder} holds the store");
            Die();
            return;
        }

        Token = token;
        renewed = world.Time.Now;
        world.Story.Tell(world.Time.Now, Name, $"takes the store with fencing token {token}");
        TakeUp(RunIsActive(world.Store.Condition));
        Renew();
        Tick();
    }

    private void TakeUp(bool underWay)
    {
        foreach (var file in RunTakeUp.Damaged(world.Store, world.Disk))
            world.Store.ForgetCheckpoint(Token, file);
        var memory = RunTakeUp.Memory(world.Store, world.Disk, underWay);
        State = RunState.Begin(world.Scenario.Plan, memory, Elapsed);
        TookUp = (world.Time.Now, memory.ExpectedBack);
        if (!RunIsActive(world.Store.Condition))
            State = State with { Phase = new Ended(world.Store.Condition), Reason = "it ended before" };
        world.Story.Tell(world.Time.Now, Name, $"takes the run up at step {State.Committed.Step}, generation {memory.LastGeneration}");
    }

    private void Tick()
    {
        Post(new Tick());
        In(TickPeriod, Tick);
    }

    private void Renew() => In(LeaseDuration / 5, () =>
    {
        try
        {
            if (!world.StoreFails(this))
            {
                world.Store.Renew(Token, WallMs, LeaseDuration);
                renewed = world.Time.Now;
            }
            else if (world.Time.Now - renewed >= LeaseDuration)
            {
                Lose("the store could not be reached for the length of its lease");
                return;
            }

            Renew();
        }
        catch (FencingLostException e)
        {
            Lose(e.Message);
        }
    });

    /// <summary>Lets go of the run and ends, as the host does.</summary>
    private void Lose(string why)
    {
        world.Story.Tell(world.Time.Now, Name, $"has lost the store: {why}");
        lost ??= new StoreLost(why);
        Post(lost);
        In(TimeSpan.FromMilliseconds(20), () => Die());
    }

    private void Drain()
    {
        if (busy || !IsAlive || !events.TryDequeue(out var next))
            return;
        latest = next.At > latest ? next.At : latest;
        var before = State!;

        // A store that is known to be lost goes before all that came in earlier.
        var @event = before.IsOver ? next.Event : lost ?? next.Event;
        var decision = RunMachine.Apply(before, @event, latest);
        State = decision.Next;
        world.Watch.Decided(this, before, @event, decision);
        if (decision.Reason != before.Reason)
            world.Story.Tell(world.Time.Now, Name, $"{decision.Reason}");
        busy = true;
        executor.Perform(decision, 0);
    }

    private void Finish()
    {
        busy = false;
        if (events.Count > 0)
            In(TimeSpan.Zero, Drain);
    }

    private static bool RunIsActive(RunCondition condition) => condition is RunCondition.Waiting or RunCondition.Training
        or RunCondition.Evaluating or RunCondition.Checkpointing or RunCondition.Paused;
}
