using AdderNet.Core.Sharding;
using AdderNet.Worker.Membership;
using Xunit;

namespace AdderNet.Worker.Tests.Membership;

/// <summary>Plays events to one member, w1 of w0 to w3, and remembers what it was told to do.</summary>
internal sealed class MemberScript
{
    public const string Run = "r";
    public const ulong Hash = 0xabc;

    public MemberState State { get; private set; } = new() { WorkerId = "w1", RunId = Run };

    public TimeSpan Now { get; set; }

    public string Reason { get; private set; } = "";

    /// <summary>Actions of the newest event.</summary>
    public List<MemberAction> Actions { get; } = [];

    public IEnumerable<Report> Reports => Actions.OfType<Tell>().Select(t => t.Report);

    /// <summary>In position at step 10 of generation 3.</summary>
    public static MemberScript AtStep10()
    {
        var script = new MemberScript();
        script.Play(new Began());
        script.Order(Generation(3, 10, Hash, "w2"));
        script.EndWork(n => new BaseReached(n, "state"));
        return script;
    }

    /// <summary>Listed without a vote in generation 3, whose base is step 10; downloading it.</summary>
    public static MemberScript Observing()
    {
        var script = new MemberScript();
        script.Play(new Began());
        script.Order(Generation(3, 10, Hash, votes: false, "w2"));
        return script;
    }

    public static StepFacts Facts(long step) => new(step, 32, 16, 0.1, 0);

    public static GenerationOrder Generation(long number, long step, ulong hash = Hash, params string[] sources) => Generation(number, step, hash, true, sources);

    public static GenerationOrder Generation(long number, long step, ulong hash, bool votes, params string[] sources) => new(new GenerationView(
        Run, number, Enumerable.Range(0, 4).Select(i => new MemberInfo($"w{i}", "", i == 1 && !votes ? new ShardRange(4, 4) : new ShardRange(i, i + 1), i != 1 || votes)).ToList(),
        step, hash, sources, "", "the test says so"));

    public static WelcomeOrder Welcome() => new(Run, "", "", "", TimeSpan.Zero, TimeSpan.Zero, "", "");

    public void Play(MemberEvent @event)
    {
        var decision = MemberMachine.Apply(State, @event, Now);
        (State, Reason) = (decision.Next, decision.Reason);
        Actions.Clear();
        Actions.AddRange(decision.Actions);
    }

    public void Order(Order order) => Play(new OrderArrived(order));

    /// <summary>Ends the work in progress.</summary>
    public void EndWork(Func<long, MemberEvent> how) => Play(how(State.Work!.Number));

    /// <summary>Computes and exchanges a step: afterwards it is held and voted for.</summary>
    public void Hold(long step, ulong hash)
    {
        Order(new StepOrder(Run, State.Generation, step));
        EndWork(n => new StepComputed(n));
        EndWork(n => new StepReduced(n, hash, Facts(step), new StepEffort(1, 100, 1, 0.5, 0)));
    }

    /// <summary>The one action of that kind of the newest event.</summary>
    public T Did<T>()
        where T : MemberAction => Assert.Single(Actions.OfType<T>());

    /// <summary>The one report of that kind of the newest event.</summary>
    public T Told<T>()
        where T : Report => Assert.Single(Reports.OfType<T>());

    /// <summary>The newest event changed nothing but a note of that kind.</summary>
    public void OnlyNoted(NoteKind kind) => Assert.Equal(kind, Assert.IsType<Note>(Assert.Single(Actions)).Kind);
}
