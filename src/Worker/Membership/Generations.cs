using System.Collections.Immutable;

namespace AdderNet.Worker.Membership;

/// <summary>Entering generations: only the highest number counts, and no replica goes back.</summary>
internal static class Generations
{
    public static void Announced(MemberTurn turn, GenerationOrder order)
    {
        var (state, view) = (turn.State, order.View);
        if (view.Find(state.WorkerId) is null)
            Orders.Ignore(turn, order, $"this worker is no member of generation {view.Generation}");
        else if (view.Generation < state.Generation || (view.Generation == state.Generation && (state.InPosition || state.Work is MemberWork.Positioning { IsAborting: false })))
            Orders.Ignore(turn, order, $"generation {view.Generation} is not newer than {state.Generation}");
        else if (state.Early.Any(o => o is GenerationOrder && o.Generation >= view.Generation))
            Orders.Ignore(turn, order, "a newer generation is waiting to be entered");
        else if (state.Work is not null)
            AfterWork(turn, order);
        else
            Enter(turn, view);
    }

    /// <summary>The coordinator no longer counts on this member: it says Hello again, and what it worked on is void.</summary>
    public static void GivenUp(MemberTurn turn, string reason)
    {
        turn.Note(NoteKind.Warning, $"given up by the coordinator: {reason}");
        turn.State = turn.State with { InPosition = false, Early = [] };
        turn.Abort("this member was given up");
    }

    /// <summary>The member stands at the base of its generation.</summary>
    public static void Reached(MemberTurn turn, MemberWork.Positioning work, string stateHash)
    {
        var view = work.View;
        var state = turn.State;
        var applied = work.Route is ApplyHeld held ? held.Steps : [];
        turn.State = state = state with
        {
            InPosition = !work.IsAborting,
            AppliedStep = view.BaseStep,
            AppliedHash = view.BaseHash != 0 ? view.BaseHash : work.Route is Stay ? state.AppliedHash : 0,
            AppliedFacts = work.Route switch { Stay => state.AppliedFacts, ApplyHeld => applied[^1].Facts, _ => null },
            Held = state.Held.RemoveAll(h => h.Step <= view.BaseStep),
            Totals = applied.Aggregate(state.Totals, (sum, step) => sum.Plus(step.Effort)),
        };
        turn.Because($"at step {view.BaseStep}, the base of generation {view.Generation}");
        if (work.IsAborting)
            return;
        if (!state.Observes)
        {
            turn.Tell(view.BaseStep, new InPositionReport(stateHash));
            turn.Do(new OfferState(view.BaseStep, Keep: view.Sources.Contains(state.WorkerId) && view.Members.Any(m => !m.Votes)));
            return;
        }

        Observing.Proceed(turn);
    }

    /// <summary>How a member reaches the base of a generation; null with a reason when there is no way.</summary>
    public static (BaseRoute? Route, string Reason) RouteToBase(MemberState state, GenerationView view)
    {
        var sameHash = state.AppliedHash == 0 || view.BaseHash == 0 || state.AppliedHash == view.BaseHash;
        if (state.AppliedStep == view.BaseStep && sameHash)
            return (new Stay(), $"already at step {view.BaseStep}");
        if (UpToBase(state, view) is { Count: > 0 } held)
            return (new ApplyHeld(held), $"holds committed step {view.BaseStep} and applies it");

        var sources = view.Sources
            .Where(id => id != state.WorkerId)
            .Select(view.Find)
            .OfType<MemberInfo>()
            .ToList();
        if (sources.Count > 0)
            return (new Download(Rotate(sources, state.WorkerId, view)), $"at step {state.AppliedStep}, downloads step {view.BaseStep}");
        if (view.Checkpoint.Length > 0)
            return (new LoadCheckpoint(view.Checkpoint), $"at step {state.AppliedStep}, loads the checkpoint of step {view.BaseStep}");
        if (view.BaseStep == 0)
            return (new StartOver(), "starts from the initial weights");
        return (null, state.AppliedStep != view.BaseStep
            ? $"step {view.BaseStep} is held by no other member and by no checkpoint; this member is at step {state.AppliedStep}"
            : $"this member applied step {view.BaseStep} with hash {state.AppliedHash:x16}, the run with {view.BaseHash:x16}, and nobody else holds it");
    }

    /// <summary>Waits for the present work to end; only the newest generation waits.</summary>
    private static void AfterWork(MemberTurn turn, GenerationOrder order)
    {
        turn.State = turn.State with { Early = turn.State.Early.RemoveAll(o => o is GenerationOrder || o.Generation < order.Generation).Add(order) };
        turn.Because($"generation {order.Generation} is entered when the present work has ended");
        turn.Abort($"generation {order.Generation} was announced");
    }

    private static void Enter(MemberTurn turn, GenerationView view)
    {
        var state = turn.State;
        if (state.AppliedStep > view.BaseStep)
        {
            Reporting.Due(turn, $"this member is at step {state.AppliedStep}, ahead of base {view.BaseStep}: no replica goes back");
            return;
        }

        var (route, reason) = RouteToBase(state, view);
        turn.State = state with
        {
            View = view,
            InPosition = false,
            ReportDue = null,
            FollowedStep = 0,

            // What is held up to the base is applied; a step beyond it is void, now that the base is announced.
            Held = route is ApplyHeld ? state.Held.RemoveAll(h => h.Step > view.BaseStep) : [],
        };
        turn.Do(new DropMeans(route is ApplyHeld ? view.BaseStep : 0));
        if (route is null)
        {
            Reporting.Fail(turn, view.BaseStep, "position", reason);
            return;
        }

        turn.Note(NoteKind.Generation, $"generation {view.Generation} from step {view.BaseStep} ({view.Reason}): shards {turn.State.Me!.Range} of {view.Members.Count} members; {reason}");
        turn.Begin(n => new MemberWork.Positioning(n, view, route), n => new EnterGeneration(n, view, route));
    }

    /// <summary>The held steps that lead to the base: all committed, the last one by the announcement itself.</summary>
    private static List<HeldStep>? UpToBase(MemberState state, GenerationView view)
    {
        var held = state.Held.TakeWhile(h => h.Step <= view.BaseStep).ToList();
        var leads = held.Count > 0 && held[^1].Step == view.BaseStep && held[0].Step == state.AppliedStep + 1
            && held.SkipLast(1).All(h => h.IsApplicable)
            && (held[^1].Hash == view.BaseHash || (view.BaseHash == 0 && held[^1].IsApplicable));
        return leads ? held : null;
    }

    // Members that join together start at different sources, so that no source serves all of them.
    private static List<MemberInfo> Rotate(List<MemberInfo> sources, string workerId, GenerationView view)
    {
        var mine = view.Members.TakeWhile(m => m.WorkerId != workerId).Count();
        var start = mine % sources.Count;
        return [.. sources[start..], .. sources[..start]];
    }
}
