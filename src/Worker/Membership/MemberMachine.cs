namespace AdderNet.Worker.Membership;

/// <summary>
/// What an order means to a member given its state: pure functions without I/O, so that a simulation can drive the very
/// decisions that processes make.
/// </summary>
internal static class MemberMachine
{
    /// <summary>Judges one order.</summary>
    public static Decision Decide(MemberState state, Order order)
    {
        if (order.RunId.Length > 0 && order.RunId != state.RunId)
            return new Ignore($"it belongs to run {order.RunId}, this worker to {state.RunId}");

        return order switch
        {
            WelcomeOrder => new ReportState("welcomed again after a reconnection"),
            RefusedOrder refused => new Finish(true, refused.Reason),
            EndOrder end => end.Generation != 0 && end.Generation < state.Generation
                ? Stale(state, end)
                : new Finish(end.Failed, end.Reason),
            GenerationOrder generation => OnGeneration(state, generation.View),
            _ => InGeneration(state, order),
        };
    }

    /// <summary>How a member reaches the base of a generation; null with a reason when there is no way.</summary>
    public static (BaseRoute? Route, string Reason) RouteToBase(MemberState state, GenerationView view)
    {
        var sameHash = state.AppliedHash == 0 || view.BaseHash == 0 || state.AppliedHash == view.BaseHash;
        if (state.AppliedStep == view.BaseStep && sameHash)
            return (new Stay(), $"already at step {view.BaseStep}");
        if (state.PendingStep == view.BaseStep && state.PendingStep == state.AppliedStep + 1 && state.PendingHash == view.BaseHash)
            return (new ApplyPending(state.PendingSkips), $"holds committed step {view.BaseStep} and applies it");

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
        return (null, sameHash
            ? $"step {view.BaseStep} is held by no other member and by no checkpoint; this member is at step {state.AppliedStep}"
            : $"this member applied step {view.BaseStep} with hash {state.AppliedHash:x16}, the run with {view.BaseHash:x16}, and nobody else holds it");
    }

    private static Decision OnGeneration(MemberState state, GenerationView view)
    {
        if (view.Generation < state.Generation || (view.Generation == state.Generation && state.InPosition))
            return new Ignore($"generation {view.Generation} is not newer than {state.Generation}");
        if (view.Find(state.WorkerId) is null)
            return new Ignore($"this worker is no member of generation {view.Generation}");
        if (state.AppliedStep > view.BaseStep && view.BaseStep > 0)
            return new ReportState($"this member is at step {state.AppliedStep}, ahead of base {view.BaseStep}: no replica goes back");
        var (route, reason) = RouteToBase(state, view);
        return route is null ? new Fail("position", reason) : new EnterGeneration(view, route, reason);
    }

    private static Decision InGeneration(MemberState state, Order order)
    {
        if (order.Generation < state.Generation)
            return Stale(state, order);
        if (order.Generation > state.Generation)
            return new Hold($"generation {order.Generation} was not announced yet; this member is in {state.Generation}");
        if (!state.InPosition)
            return new Ignore($"generation {order.Generation} was left before its base was reached");

        return order switch
        {
            StepOrder step => OnStep(state, step),
            CommitOrder commit => OnCommit(state, commit),
            EvaluateOrder evaluate => AtBoundary(state, evaluate, "evaluation", reason => new EvaluateBlocks(evaluate, reason)),
            CheckpointOrder checkpoint => AtBoundary(state, checkpoint, "checkpoint", reason => new SaveCheckpoint(checkpoint, reason)),
            _ => new Ignore($"a member has no use for {order.GetType().Name}"),
        };
    }

    private static Decision OnStep(MemberState state, StepOrder order)
    {
        if (order.Step <= state.AppliedStep || order.Step == state.PendingStep)
            return new Ignore($"step {order.Step} was computed already");
        return order.Step == state.AppliedStep + 1
            ? new ComputeStep(order.Step, $"step {order.Step} follows {state.AppliedStep}")
            : new Fail("compute", $"asked for step {order.Step} while at step {state.AppliedStep}");
    }

    private static Decision OnCommit(MemberState state, CommitOrder order)
    {
        if (order.Step <= state.AppliedStep)
            return new Ignore($"step {order.Step} was applied already");
        if (order.Step != state.PendingStep)
            return new Fail("commit", $"step {order.Step} was committed, but this member holds none at step {state.AppliedStep}");
        return order.Hash == state.PendingHash
            ? new ApplyStep(order.Step, order.Skip, $"step {order.Step} was committed")
            : new Fail("commit", $"step {order.Step} was committed with hash {order.Hash:x16}, this member holds {state.PendingHash:x16}");
    }

    private static Decision AtBoundary(MemberState state, Order order, string phase, Func<string, Decision> act) =>
        order.Step == state.AppliedStep
            ? act($"{phase} at the boundary after step {order.Step}")
            : new Fail(phase, $"asked for the boundary after step {order.Step} while at step {state.AppliedStep}");

    private static Ignore Stale(MemberState state, Order order) =>
        new($"it is of generation {order.Generation}, this member in {state.Generation}");

    // Members that join together start at different sources, so that no source serves all of them.
    private static List<MemberInfo> Rotate(List<MemberInfo> sources, string workerId, GenerationView view)
    {
        var mine = view.Members.TakeWhile(m => m.WorkerId != workerId).Count();
        var start = mine % sources.Count;
        return [.. sources[start..], .. sources[..start]];
    }
}
