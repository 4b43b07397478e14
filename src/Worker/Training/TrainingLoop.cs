using AdderNet.Core.Checkpoints;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Engine;
using AdderNet.Protos.V1;
using AdderNet.Worker.Exchange;
using AdderNet.Worker.Membership;
using AdderNet.Worker.Session;
using AdderNet.Worker.Telemetry;
using AdderNet.Worker.Transfer;
using Microsoft.Extensions.Logging;

namespace AdderNet.Worker.Training;

/// <summary>A member's work from its preparation to the run's end: follows the coordinator's orders, one after another.</summary>
internal sealed class TrainingLoop(
    PreparedMember member, MemberState begin, CoordinatorSession session, OrderInbox inbox, Neighbours neighbours, OutputPaths paths,
    Progress progress, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private const int MostHeld = 16;
    private const int MeanBuffers = 3;

    private readonly BoundaryWork boundary = new(member, paths, begin.WorkerId, progress);
    private readonly Queue<Order> held = new();
    private readonly float[][] means = new float[MeanBuffers][];
    private MemberState state = begin;
    private GenerationWork? generation;
    private ReducedStep? pending;
    private StepOutcome? pendingOutcome;
    private StepOutcome? appliedOutcome;
    private StepTimes times;

    /// <summary>Runs until the run ends for this worker.</summary>
    /// <exception cref="WorkerFailureException">The worker cannot go on.</exception>
    public async Task<Finish> RunAsync(CancellationToken cancellation)
    {
        await session.SendAsync(Reports.Prepared(state, member, appliedOutcome), cancellation);
        while (true)
        {
            var order = await NextAsync(cancellation);
            var work = inbox.BeginWork(cancellation);
            var decision = MemberMachine.Decide(state, order);
            try
            {
                switch (decision)
                {
                    case ComputeStep(var step, _):
                        using (WorkerTelemetry.Step(step, state.Generation))
                        {
                            var sums = await ComputeAsync(step, work);
                            var reduced = await ExchangeAsync(step, sums, work);
                            await VoteAsync(step, reduced, work);
                        }

                        break;

                    case ApplyStep commit:
                        Apply(commit.Skip);
                        break;

                    case EvaluateBlocks evaluate:
                        await EvaluateAsync(evaluate.Order, work);
                        break;

                    case SaveCheckpoint save:
                        await SaveAsync(save.Order, work);
                        break;

                    case EnterGeneration enter:
                        await EnterAsync(enter, work);
                        break;

                    case Finish finish:
                        return finish;

                    default:
                        await AnswerAsync(decision, order, cancellation);
                        break;
                }
            }
            catch (OperationCanceledException) when (work.IsCancellationRequested && !cancellation.IsCancellationRequested)
            {
                logger.WorkInterrupted(decision.GetType().Name, order.Step);
            }
            catch (Exception e) when (e is PeerException or DataException or TensorFileException or IOException or UnauthorizedAccessException)
            {
                await FailAsync(order.Step, PhaseOf(decision), e.Message, (e as PeerException)?.Peer ?? string.Empty, cancellation);
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (generation is not null)
            await generation.DisposeAsync();
    }

    private async Task<IReadOnlyList<SubtreeSum>> ComputeAsync(long step, CancellationToken work)
    {
        using var activity = WorkerTelemetry.Activities.StartActivity("compute");
        neighbours.Shelf.Withdraw();
        (pending, pendingOutcome, state) = (null, null, state.Computing());
        generation!.BeginStep(step);
        var began = time.GetTimestamp();
        var waited = member.Batches.Waited;
        var sums = await member.Replica.ComputeAsync(generation.Me.Range, member.Batches, generation.Moments, progress.Advance, work);
        times = new StepTimes(time.GetElapsedTime(began), TimeSpan.Zero, member.Batches.Waited - waited);
        return sums;
    }

    private async Task<ReducedStep> ExchangeAsync(long step, IReadOnlyList<SubtreeSum> sums, CancellationToken work)
    {
        using var activity = WorkerTelemetry.Activities.StartActivity("exchange");
        using var wait = progress.Wait();
        var began = time.GetTimestamp();
        var mean = means[step % MeanBuffers] ??= new float[member.Replica.Layout.ReductionLength];
        var reduced = await generation!.ReduceAsync(step, sums, mean, work);
        times = times with { Exchange = time.GetElapsedTime(began) };
        return reduced;
    }

    private async Task VoteAsync(long step, ReducedStep reduced, CancellationToken work)
    {
        using var activity = WorkerTelemetry.Activities.StartActivity("vote");
        pending = reduced;
        pendingOutcome = Reports.Outcome(reduced, member.Replica.Layout, member.Schedule.At(step));
        var skips = reduced.Counts.FirstNonFinite != 0 && member.Description.Gradient.OnNonfinite == OnTrouble.Skip;
        state = state.Holding(step, reduced.Hash, skips);
        var shards = generation!.Me.Range.Count;
        WorkerTelemetry.Record(times, shards);
        logger.Voted(step, reduced.Hash, pendingOutcome.Loss);
        if (!generation.Me.Votes)
            return;
        var vote = new Vote
        {
            Hash = reduced.Hash,
            Outcome = pendingOutcome,
            ShardsComputed = (uint)shards,
            GradientBytesSent = (ulong)neighbours.TakeGradientBytes(),
            ComputeSeconds = times.Compute.TotalSeconds,
            ExchangeSeconds = times.Exchange.TotalSeconds,
            DataWaitSeconds = times.DataWait.TotalSeconds,
        };
        await session.SendAsync(Reports.Vote(state, vote), work);
    }

    private void Apply(bool skip)
    {
        using var activity = WorkerTelemetry.Activities.StartActivity("apply");
        try
        {
            member.Replica.Apply(pending!.Mean, skip);
        }
        catch (Exception e)
        {
            throw new WorkerFailureException($"applying step {state.PendingStep} failed, so this replica's state is undefined: {e.Message}", e);
        }

        (state, appliedOutcome, pending, pendingOutcome) = (state.Applied(), pendingOutcome, null, null);
        progress.Advance();
        WorkerTelemetry.StepsApplied.Add(1);
        logger.Applied(state.AppliedStep);
    }

    private async Task EvaluateAsync(EvaluateOrder order, CancellationToken work)
    {
        using var activity = WorkerTelemetry.Activities.StartActivity("evaluate");
        neighbours.Shelf.Withdraw();
        await session.SendAsync(Reports.Evaluation(state, boundary.Evaluate(order, work)), work);
    }

    private async Task SaveAsync(CheckpointOrder order, CancellationToken work)
    {
        using var activity = WorkerTelemetry.Activities.StartActivity("checkpoint");
        neighbours.Shelf.Withdraw();
        var (file, weightsHash) = boundary.Write(order);
        logger.FileWritten(file.Path, file.Bytes);
        await session.SendAsync(Reports.Checkpoint(state, file, weightsHash), work);
    }

    private async Task EnterAsync(EnterGeneration enter, CancellationToken work)
    {
        using var activity = WorkerTelemetry.Activities.StartActivity("enter generation");
        var view = enter.View;
        logger.GenerationEntered(view.Generation, view.BaseStep, view.Reason, view.Find(state.WorkerId)!.Range, view.Members.Count, enter.Reason);
        state = state.Entering(view);
        await LeaveGenerationAsync();
        neighbours.Shelf.BeginGeneration(view.RunId, view.Generation);
        neighbours.Store.BeginGeneration(view.RunId, view.Generation, view.BaseStep);
        await neighbours.Channels.KeepAsync(view.Members);
        generation = new GenerationWork(view, state.WorkerId, member, neighbours.Store, neighbours.Channels, progress);

        await ReachBaseAsync(view, enter.Route, work);
        (state, pending, pendingOutcome) = (state.Positioned(view.BaseStep, view.BaseHash), null, null);
        neighbours.Shelf.Offer(() => new Snapshot(state.AppliedStep, member.ToBytes()));
        var hash = StateHash.Compute(member.Replica.Layout, member.Replica.Export());
        await session.SendAsync(Reports.InPosition(state, hash), work);
    }

    private async Task ReachBaseAsync(GenerationView view, BaseRoute route, CancellationToken work)
    {
        switch (route)
        {
            case ApplyPending apply:
                Apply(apply.Skip);
                break;
            case Download download:
                using (progress.Wait())
                    member.Take(await neighbours.DownloadAsync(view, download.Sources, member.Replica.Layout, progress, work), $"state of step {view.BaseStep}");
                appliedOutcome = null;
                break;
            case LoadCheckpoint load:
                member.Load(load.Path);
                appliedOutcome = null;
                break;
            case StartOver:
                member.StartOver();
                appliedOutcome = null;
                break;
        }

        if (member.Replica.AppliedStep != view.BaseStep)
            throw new IOException($"after {route.GetType().Name} this member is at step {member.Replica.AppliedStep}, not {view.BaseStep}");
    }

    private async Task AnswerAsync(Decision decision, Order order, CancellationToken cancellation)
    {
        switch (decision)
        {
            case ReportState report:
                logger.ReportingState(report.Reason);
                await session.SendAsync(Reports.Prepared(state, member, appliedOutcome), cancellation);
                break;
            case Fail fail:
                await FailAsync(order.Step, fail.Phase, fail.Reason, string.Empty, cancellation);
                break;
            case Hold hold:
                logger.OrderHeld(order.GetType().Name, order.Step, hold.Reason);
                held.Enqueue(order);
                if (held.Count > MostHeld)
                    held.Dequeue();
                break;
            default:
                WorkerTelemetry.OrdersIgnored.Add(1);
                logger.OrderIgnored(order.GetType().Name, order.Step, decision.Reason);
                break;
        }
    }

    private async Task FailAsync(long step, string phase, string reason, string peer, CancellationToken cancellation)
    {
        logger.PhaseFailed(phase, reason);
        await session.SendAsync(Reports.Failed(state, step, phase, reason, peer), cancellation);
    }

    private async ValueTask<Order> NextAsync(CancellationToken cancellation)
    {
        if (held.TryPeek(out var early) && early.Generation <= state.Generation)
            return held.Dequeue();
        using var wait = progress.Wait();
        return await inbox.NextAsync(cancellation);
    }

    private async Task LeaveGenerationAsync()
    {
        if (generation is not null)
            await generation.DisposeAsync();
        generation = null;
    }

    private static string PhaseOf(Decision decision) => decision switch
    {
        ComputeStep => "step",
        EvaluateBlocks => "evaluation",
        SaveCheckpoint => "checkpoint",
        _ => "position",
    };
}
