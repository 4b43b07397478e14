using AdderNet.Protos.V1;
using AdderNet.Simulation.Model;
using AdderNet.Simulation.Network;
using AdderNet.Simulation.Processes.Exchange;
using AdderNet.Worker.Membership;
using AdderNet.Worker.Session;

namespace AdderNet.Simulation.Processes;

/// <summary>
/// A worker process: keeps a session with a coordinator, feeds the member machine one event at a time, and does what it
/// decides. Its replica is a hash.
/// </summary>
internal sealed class SimulatedWorker : SimulatedProcess
{
    private const int EagerRetries = 50;
    private const int MostRetries = 70;
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan EagerRetry = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan PatientRetry = TimeSpan.FromSeconds(1);

    private readonly World world;
    private readonly WorkerActions actions;
    private readonly Queue<MemberEvent> events = new();
    private Connection? session;
    private long progress;
    private int retries;
    private bool feeding;
    private bool prepares;
    private TimeSpan? wake;
    private TimeSpan awayUntil;

    public SimulatedWorker(World world, string id, double slowness)
        : base(world.Time, id, id)
    {
        this.world = world;
        Slowness = slowness;
        Calls = new PeerCalls(world, this);
        Neighbours = new SimulatedWatch(world, this, SayAlive);
        actions = new WorkerActions(world, this);
        In(world.Work.Milliseconds(50, 400), Connect);
    }

    /// <summary>The machine's state; null until the worker is welcomed and prepared.</summary>
    public MemberState? Member { get; private set; }

    public Replica Replica { get; } = new();

    public PieceServer Pieces { get; } = new();

    public StateShelf Shelf { get; } = new();

    public PeerCalls Calls { get; }

    public SimulatedWatch Neighbours { get; }

    public GradientModel Model => world.Model;

    /// <summary>Members of a group of the exchange.</summary>
    public int GroupSize => world.Scenario.Description.Exchange.GroupSize;

    /// <summary>Time of its shards over that of the fastest machine.</summary>
    public double Slowness { get; set; }

    /// <summary>What befalls it as soon as it can.</summary>
    public NextFaults Next { get; private set; } = new();

    public bool IsHung { get; set; }

    public bool Waits { get; set; }

    public TimeSpan BornAt { get; init; }

    /// <summary>How it ended, once it did by itself.</summary>
    public (bool Failed, string Reason)? Exit { get; private set; }

    /// <summary>Since when its session is open to a coordinator; null: it is not.</summary>
    public TimeSpan? ConnectedAt { get; private set; }

    public SimulatedCoordinator? Coordinator { get; private set; }

    public void Advance() => progress++;

    /// <summary>SIGTERM.</summary>
    public void AskToLeave() => Do(() =>
    {
        if (Member is null)
            End(false, "asked to leave");
        else
            Feed(new LeaveAsked("asked to leave"));
    });

    /// <summary>What was to befall it does not.</summary>
    public void ForgetFaults() => Next = new NextFaults();

    /// <summary>Hands the machine an event and does what it decides.</summary>
    public void Feed(MemberEvent @event)
    {
        events.Enqueue(@event);
        if (feeding || Member is null)
            return;
        feeding = true;
        while (IsAlive && events.TryDequeue(out var next))
        {
            var before = Member;
            var decision = MemberMachine.Apply(before, next, world.Time.Now);
            Member = decision.Next;
            world.Watch.Decided(this, before, next, decision);
            if (decision.Reason.Length > 0)
                world.Story.Tell(world.Time.Now, Name, $"{next.GetType().Name}: {decision.Reason}");
            foreach (var action in decision.Actions)
            {
                if (IsAlive)
                    actions.Perform(action);
            }

            PlanWake();
        }

        feeding = false;
    }

    /// <summary>A message of the coordinator over a session.</summary>
    public void Receive(Connection over, CoordinatorMessage message)
    {
        if (over != session || OrderWire.FromWire(message) is not { } order)
            return;
        retries = 0;
        if (order is RefusedOrder { Final: false } && Member is null)
        {
            over.Break();
            return;
        }

        if (Member is not null)
        {
            Feed(new OrderArrived(order));
            if (order is RefusedOrder { Final: false })
                over.Break();
        }
        else if (order is WelcomeOrder welcome && !prepares)
        {
            prepares = true;
            Beat();
            In(world.Work.Milliseconds(50, 600), () => Prepare(welcome));
        }
        else if (order is RefusedOrder refused)
        {
            End(true, refused.Reason);
        }
        else if (order is EndOrder end)
        {
            End(end.Failed, end.Reason);
        }
    }

    /// <summary>Sends to the coordinator; without a session the message is lost.</summary>
    /// <param name="message">What.</param>
    /// <param name="late">Whether it is under way for so much longer that others overtake it.</param>
    public void Send(WorkerMessage message, TimeSpan late = default)
    {
        if (session is not { } open || Coordinator is not { } to)
            return;
        open.Send(this, () => to.Receive(open, Name, message), late);
    }

    /// <summary>Its session breaks, and it stays away for so long.</summary>
    public void LeaveSession(TimeSpan length)
    {
        awayUntil = world.Time.Now + length;
        session?.Break();
        session = null;
        Retry();
    }

    /// <summary>The process ends by itself.</summary>
    public void End(bool failed, string reason)
    {
        Exit = (failed, reason);
        world.Story.Tell(world.Time.Now, Name, $"ends {(failed ? "with 1" : "with 0")}: {reason}");
        Die();
    }

    protected override void OnDeath() => world.WorkerDied(this);

    private void Connect()
    {
        if (world.Time.Now < awayUntil)
        {
            In(awayUntil - world.Time.Now, Connect);
            return;
        }

        var coordinator = world.Reachable(this);
        world.Network.Connect(
            this,
            coordinator,
            connection =>
            {
                (session, Coordinator, ConnectedAt) = (connection, coordinator, world.Time.Now);
                connection.OnBroken(this, () => Lost(connection));
                connection.Send(this, () => coordinator!.Open(connection, Name, Hello()));
            },
            _ => Retry());
    }

    private Hello Hello() => new()
    {
        Build = "build",
        NumericsVersion = 2,
        Engine = "managed",
        ProbeHash = "probe",
        Address = $"http://{Name}",
        Threads = 1,
        Host = Machine,
        ProcessId = 1,
        WorkerId = Name,
        WantedRun = world.Scenario.Plan.RunId,
    };

    private void Lost(Connection connection)
    {
        if (session != connection)
            return;
        (session, ConnectedAt) = (null, null);
        if (Member is not null)
            Feed(new SessionLost("the stream broke"));
        Retry();
    }

    private void Retry()
    {
        if (retries++ >= MostRetries)
        {
            if (Member is not null)
                Feed(new SessionGivenUp("cannot reach the coordinator"));
            else
                End(true, "cannot reach the coordinator");
            return;
        }

        In(retries == 1 ? FirstRetry : retries <= EagerRetries ? EagerRetry : PatientRetry, Connect);
    }

    private void Beat()
    {
        SayAlive();
        In(TimeSpan.FromMilliseconds(world.Scenario.Description.Elastic.HeartbeatMs), Beat);
    }

    private void SayAlive()
    {
        var beat = new Heartbeat { Progress = (ulong)progress, Waiting = Waits || (Member is { Work: null }) };
        beat.Silent.AddRange(Neighbours.Silent);
        Send(new WorkerMessage { Heartbeat = beat });
    }

    private void Prepare(WelcomeOrder welcome)
    {
        if (welcome.ResumeFrom.Length > 0 && !Replica.TryLoad(world.Disk.Read(World.Below(welcome.ResumeFrom))))
            world.Story.Tell(world.Time.Now, Name, $"begins at the initial weights: {welcome.ResumeFrom} is damaged");

        Member = new MemberState
        {
            WorkerId = Name,
            RunId = welcome.RunId,
            ReachToken = Scenario.ReachToken,
            SkipsNonFinite = world.Scenario.SkipsNonFinite,
            AppliedStep = Replica.Applied,
        };
        Feed(new Began());
    }

    private void PlanWake()
    {
        if (Member?.WakeAt is not { } at || at == wake)
            return;
        wake = at;
        In(at - world.Time.Now, () => Feed(new Tick()));
    }
}
