using AdderNet.Core.Checkpoints;
using AdderNet.Core.Engine;
using AdderNet.Worker.Exchange;
using AdderNet.Worker.Membership;
using AdderNet.Worker.Session;
using AdderNet.Worker.Telemetry;
using AdderNet.Worker.Transfer;
using Microsoft.Extensions.Logging;

namespace AdderNet.Worker.Training;

/// <summary>A member's work from its preparation to the run's end: asks the machine what follows from each event, and does it.</summary>
internal sealed class TrainingLoop(
    PreparedMember member, MemberState begin, CoordinatorSession session, MemberInbox inbox, Neighbours neighbours, OutputPaths paths,
    Progress progress, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private readonly Evaluation evaluation = new(member, progress);
    private readonly MeanBuffers means = new(member.Replica.Layout.ReductionLength);
    private readonly WorkSlot work = new(inbox);
    private readonly FileWriter files = new(member, paths, begin.WorkerId, inbox, time, logger);
    private readonly long started = time.GetTimestamp();
    private MemberState state = begin;
    private GenerationWork? generation;
    private StepReduction? reduction;
    private StepEffort effort = StepEffort.None;

    private TimeSpan Now => time.GetElapsedTime(started);

    /// <summary>Runs until the run ends for this worker.</summary>
    /// <param name="leave">Asks the worker to hand over and go.</param>
    /// <exception cref="WorkerFailureException">The worker cannot go on.</exception>
    public async Task<Finish> RunAsync(CancellationToken leave)
    {
        inbox.Post(new Began());
        await using var asked = leave.UnsafeRegister(_ => inbox.Post(new LeaveAsked(Departures.Asked)), null);
        while (true)
        {
            var @event = await NextAsync();
            var decision = MemberMachine.Apply(state, @event, Now);
            state = decision.Next;
            foreach (var action in decision.Actions)
            {
                if (action is Finish finish)
                    return finish;
                await PerformAsync(action);
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await work.DisposeAsync();
        evaluation.Dispose();
        await files.DisposeAsync();
        await LeaveGenerationAsync();
    }

    private async ValueTask<MemberEvent> NextAsync()
    {
        var patience = state.WakeAt is { } at ? TimeSpan.FromTicks(Math.Max(0, (at - Now).Ticks)) : Timeout.InfiniteTimeSpan;
        if (state.Work is not null)
            return await inbox.NextAsync(patience, CancellationToken.None);
        using var wait = progress.Wait();
        return await inbox.NextAsync(patience, CancellationToken.None);
    }

    private async Task PerformAsync(MemberAction action)
    {
        switch (action)
        {
            case EnterGeneration enter:
                await EnterAsync(enter);
                break;
            case ComputeStep(var number, var step):
                neighbours.Shelf.Withdraw();
                means.Release(old => old < step - 2);
                var begun = reduction = await generation!.BeginStepAsync(step, means.Of(step));
                work.Start(number, token => ComputeAsync(number, step, begun, token));
                break;
            case ExchangeStep(var number, var step):
                var computed = reduction!;
                work.Start(number, token => ExchangeAsync(number, step, computed, token));
                break;
            case ApplyStep(var number, var step, var skip):
                var committed = means.Of(step);
                work.Start(number, _ => Task.FromResult<MemberEvent>((WorkEvent?)Apply(number, [(step, skip, committed)]) ?? new StepApplied(number)));
                break;
            case EvaluateBlocks(var number, var order):
                neighbours.Shelf.Withdraw();
                work.Start(number, token => Task.FromResult<MemberEvent>(new BlocksEvaluated(number, evaluation.Run(order, token))));
                break;
            case AbortWork:
                work.Abort();
                break;
            case WriteFile(var order):
                neighbours.Shelf.Withdraw();
                files.Begin(order);
                break;
            case OfferState offer:
                Offer(offer);
                break;
            case TakeMean take:
                Follow(take);
                break;
            case DropMeans drop:
                means.Release(step => step > drop.Keep);
                break;
            case Tell tell:
                await session.SendAsync(Reports.ToWire(state.RunId, tell, member), CancellationToken.None);
                break;
            case Note note:
                logger.Noted(note);
                break;
        }
    }

    private async Task EnterAsync(EnterGeneration enter)
    {
        var (number, view, route) = enter;
        await LeaveGenerationAsync();
        neighbours.Shelf.BeginGeneration(view.RunId, view.Generation);
        neighbours.Store.BeginGeneration(view.RunId, view.Generation, view.BaseStep);
        await neighbours.Channels.KeepAsync(view.Members);
        try
        {
            neighbours.Watch.Follow(view, state.WorkerId);
            generation = new GenerationWork(view, state.WorkerId, member, neighbours, progress);
        }
        catch (PeerException e)
        {
            inbox.Post(new WorkFailed(number, e.Message, e.Peer));
            return;
        }

        var held = route is ApplyHeld apply ? apply.Steps.Select(s => (s.Step, Skip(s), means.Of(s.Step))).ToList() : [];
        work.Start(number, token => ReachBaseAsync(number, view, route, held, token));
    }

    private bool Skip(HeldStep held) => held.Commit?.Skip ?? state.Skips(held.Facts!);

    private async Task<MemberEvent> ReachBaseAsync(
        long number, GenerationView view, BaseRoute route, List<(long Step, bool Skip, float[] Mean)> held, CancellationToken token)
    {
        using var activity = WorkerTelemetry.Activities.StartActivity("enter generation");
        switch (route)
        {
            case ApplyHeld:
                if (Apply(number, held) is { } failed)
                    return failed;
                break;
            case Download download:
                using (progress.Wait())
                    member.Take(await neighbours.DownloadAsync(view, download.Sources, member.Replica.Layout, progress, token), $"state of step {view.BaseStep}", view.BaseStep);
                break;
            case LoadCheckpoint load:
                member.Load(load.Path, view.BaseStep);
                break;
            case StartOver:
                member.StartOver();
                break;
        }

        return new BaseReached(number, StateHash.Compute(member.Replica.Layout, member.Replica.Export()));
    }

    private async Task<MemberEvent> ComputeAsync(long number, long step, StepReduction exchange, CancellationToken token)
    {
        using var span = WorkerTelemetry.Step(step, generation!.Number);
        using var activity = WorkerTelemetry.Activities.StartActivity("compute");
        var began = time.GetTimestamp();
        var waited = member.Batches.Waited;
        await exchange.FollowAsync(early => member.Replica.ComputeAsync(generation.Me.Range, member.Batches, generation.Moments, progress.Advance, early, token));
        effort = new StepEffort(generation.Me.Range.Count, 0, time.GetElapsedTime(began).TotalSeconds, 0, (member.Batches.Waited - waited).TotalSeconds);
        return new StepComputed(number);
    }

    private async Task<MemberEvent> ExchangeAsync(long number, long step, StepReduction exchange, CancellationToken token)
    {
        using var span = WorkerTelemetry.Step(step, generation!.Number);
        using var activity = WorkerTelemetry.Activities.StartActivity("exchange");
        using var wait = progress.Wait();
        var began = time.GetTimestamp();
        var reduced = await exchange.FinishAsync(token);
        effort = effort with { ExchangeSeconds = time.GetElapsedTime(began).TotalSeconds, BytesSent = neighbours.TakeGradientBytes() };
        WorkerTelemetry.Record(effort);
        return new StepReduced(number, reduced.Hash, Facts(step, reduced), effort);
    }

    /// <summary>Applies committed steps in order; an exception leaves the replica undefined, so it ends the process.</summary>
    private ApplyFailed? Apply(long number, IReadOnlyList<(long Step, bool Skip, float[] Mean)> steps)
    {
        using var activity = WorkerTelemetry.Activities.StartActivity("apply");
        foreach (var (step, skip, mean) in steps)
        {
            try
            {
                member.Replica.Apply(mean, skip);
            }
            catch (Exception e)
            {
                return new ApplyFailed(number, $"applying step {step} failed, so this replica's state is undefined: {e.Message}");
            }

            progress.Advance();
            WorkerTelemetry.StepsApplied.Add(1);
        }

        return null;
    }

    private void Offer(OfferState offer)
    {
        if (!offer.Keep)
        {
            neighbours.Shelf.Offer(() => new Snapshot(offer.Step, member.ToBytes(member.Replica.Export())));
            return;
        }

        var copy = member.Replica.Export();
        neighbours.Shelf.Keep(() => new Snapshot(offer.Step, member.ToBytes(copy)));
    }

    private void Follow(TakeMean take)
    {
        if (generation is not { } current || current.Number != take.Generation)
        {
            inbox.Post(new MeanMissed(take.Generation, take.Step, "this member has no links to the others"));
            return;
        }

        means.Release(step => step <= state.AppliedStep);
        current.Follow(take.Step, means.Of(take.Step), (reduced, why) => inbox.Post(reduced is null
            ? new MeanMissed(take.Generation, take.Step, why)
            : new MeanTaken(take.Generation, take.Step, reduced.Hash, Facts(take.Step, reduced))));
    }

    private StepFacts Facts(long step, ReducedStep reduced) => new(
        reduced.Mean[member.Replica.Layout.LossIndex], reduced.Counts.Samples, reduced.Counts.Correct, member.Schedule.At(step), reduced.Counts.FirstNonFinite);

    private async Task LeaveGenerationAsync()
    {
        if (generation is not null)
            await generation.DisposeAsync();
        generation = null;
    }
}
