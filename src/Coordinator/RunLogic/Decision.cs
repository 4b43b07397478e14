using System.Collections.Immutable;

namespace AdderNet.Coordinator.RunLogic;

/// <summary>What follows from one event.</summary>
/// <param name="Next">The state after it.</param>
/// <param name="Actions">To be performed in order.</param>
/// <param name="Reason">One sentence that explains what the run now does; the same that its status shows.</param>
internal sealed record Decision(RunState Next, ImmutableArray<RunAction> Actions, string Reason);

/// <summary>Collects the next state and the actions while one event is worked through. Lives within one call of the machine.</summary>
internal sealed class Turn(RunState state, TimeSpan now)
{
    private readonly RunState begin = state;
    private readonly ImmutableArray<RunAction>.Builder actions = ImmutableArray.CreateBuilder<RunAction>();

    public RunState State { get; set; } = state;

    public TimeSpan Now { get; } = now;

    public RunPlan Plan => State.Plan;

    public RunFacts Facts => State.Facts ?? throw new InvalidOperationException("No worker has prepared yet.");

    public GenerationPlan Generation => State.Generation ?? throw new InvalidOperationException("No generation was announced yet.");

    public void Do(RunAction action) => actions.Add(action);

    public void Note(NoteKind kind, string text) => actions.Add(new Note(kind, text));

    public void Because(string reason) => State = State with { Reason = reason };

    public void Update(MemberState member) => State = State with { Members = State.Members.SetItem(member.WorkerId, member) };

    public void Send(MemberState member, long step, Order order) =>
        actions.Add(new Send(member.WorkerId, member.Session, State.Generation?.Number ?? 0, step, order));

    /// <summary>To every member of the announced generation that is still there.</summary>
    public void Broadcast(long step, Order order)
    {
        foreach (var listed in Generation.Members)
        {
            if (State.Members.TryGetValue(listed.WorkerId, out var member))
                Send(member, step, order);
        }
    }

    public void RecordProgress(RunCondition condition) => Do(new RecordProgress(
        condition, State.Reason, State.Committed.Step, State.TrainingTime, State.Totals));

    public Decision Decide()
    {
        var isSame = begin.Phase.GetType() == State.Phase.GetType() && begin.Committed.Step == State.Committed.Step
            && begin.Generation?.Number == State.Generation?.Number;
        if (!isSame)
            State = State with { PhaseSince = Now };
        return new Decision(State, actions.ToImmutable(), State.Reason);
    }
}
