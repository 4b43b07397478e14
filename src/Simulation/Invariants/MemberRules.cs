using AdderNet.Simulation.Processes;
using AdderNet.Worker.Membership;

namespace AdderNet.Simulation.Invariants;

/// <summary>
/// Each worker by itself: it obeys only the highest generation it has seen, holds steps without gaps, never makes way for a
/// base behind its own replica, and takes from others nothing that it holds.
/// </summary>
internal static class MemberRules
{
    public static void Decided(SimulatedWorker worker, MemberState before, MemberEvent @event, MemberDecision decision, Action<string, string> blame)
    {
        var after = decision.Next;
        if (after.Generation < before.Generation)
            blame("workers obey only the highest generation", $"{worker.Name} goes from generation {before.Generation} to {after.Generation}");
        if (@event is OrderArrived { Order: { Generation: > 0 } order } && order.Generation < before.Generation && decision.Actions.Any(a => a is not Note))
            blame("workers obey only the highest generation", $"{worker.Name} in generation {before.Generation} follows {order.GetType().Name} of {order.Generation}");
        CheckHeld(worker, after, blame);
        foreach (var enter in decision.Actions.OfType<EnterGeneration>())
            CheckRoute(worker, before, enter, blame);
    }

    private static void CheckHeld(SimulatedWorker worker, MemberState member, Action<string, string> blame)
    {
        var held = member.Held;
        for (var i = 1; i < held.Length; i++)
        {
            if (held[i].Step != held[i - 1].Step + 1)
                blame("steps are held without gaps", $"{worker.Name} holds {string.Join(' ', held.Select(h => h.Step))}");
        }

        if (member.InPosition && held.Length > 0 && held[0].Step != member.AppliedStep + 1)
            blame("steps are held without gaps", $"{worker.Name} at step {member.AppliedStep} holds step {held[0].Step} first");
    }

    private static void CheckRoute(SimulatedWorker worker, MemberState before, EnterGeneration enter, Action<string, string> blame)
    {
        var view = enter.View;
        if (view.BaseStep < worker.Replica.Applied)
            blame("no replica goes back", $"{worker.Name} at step {worker.Replica.Applied} makes way for base {view.BaseStep}");
        if (enter.Route is not Download || view.BaseHash == 0)
            return;
        if (worker.Replica.Applied == view.BaseStep || (worker.Replica.Applied == view.BaseStep - 1 && before.Held.Any(h => h.Step == view.BaseStep && h.Hash == view.BaseHash)))
            blame("nobody downloads what it holds", $"{worker.Name} at step {worker.Replica.Applied} downloads step {view.BaseStep}");
    }
}
