using System.Collections.Immutable;

namespace AdderNet.Worker.Membership;

/// <summary>What follows from one event.</summary>
/// <param name="Next">The state after it.</param>
/// <param name="Actions">To be performed in order.</param>
/// <param name="Reason">Why, in words.</param>
internal sealed record MemberDecision(MemberState Next, ImmutableArray<MemberAction> Actions, string Reason);

/// <summary>Collects the next state and the actions while one event is worked through. Lives within one call of the machine.</summary>
internal sealed class MemberTurn(MemberState state, TimeSpan now)
{
    private readonly ImmutableArray<MemberAction>.Builder actions = ImmutableArray.CreateBuilder<MemberAction>();

    public MemberState State { get; set; } = state;

    public TimeSpan Now { get; } = now;

    public string Reason { get; private set; } = "";

    public void Do(MemberAction action) => actions.Add(action);

    public void Because(string reason) => Reason = reason;

    public void Note(NoteKind kind, string text)
    {
        Reason = text;
        actions.Add(new Note(kind, text));
    }

    public void Tell(long step, Report report) => actions.Add(new Tell(State.Generation, step, report));

    /// <summary>Begins work: <paramref name="work"/> and <paramref name="action"/> get its number.</summary>
    public void Begin(Func<long, MemberWork> work, Func<long, MemberAction> action)
    {
        var number = State.LastWork + 1;
        State = State with { Work = work(number), LastWork = number };
        Do(action(number));
    }

    /// <summary>Asks the work in progress to end; a step that is being applied is applied to its end.</summary>
    public void Abort(string reason)
    {
        if (State.Work is not { IsAborting: false } work)
            return;
        State = State with { Work = work with { IsAborting = true } };
        if (work is MemberWork.Applying)
            return;
        Note(NoteKind.Interrupted, $"{work.GetType().Name.ToLowerInvariant()} is left: {reason}");
        Do(new AbortWork(work.Number));
    }

    public void Finish(bool failed, string reason, bool runEnded = false)
    {
        Because(reason);
        State = State with { IsFinished = true };
        Do(new Finish(failed, reason, runEnded));
    }

    public MemberDecision Decide() => new(State, actions.ToImmutable(), Reason);
}
