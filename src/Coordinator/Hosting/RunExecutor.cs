using AdderNet.Coordinator.Output;
using AdderNet.Coordinator.RunLogic;
using AdderNet.Coordinator.Store;
using AdderNet.Core.Checkpoints;
using AdderNet.Protos.V1;
using Microsoft.Extensions.Logging;

namespace AdderNet.Coordinator.Hosting;

/// <summary>
/// Carries out a run's decisions: store, output files, messages. Each action is complete before the next begins, but for
/// what is only noted down: that is written behind the run's back, in order, and all of it before anything else is recorded or
/// any worker is told anything but a commit. So no commit waits for a database, and no step begins before all is recorded.
/// </summary>
internal sealed class RunExecutor(
    RunPlan plan, IRunStore store, ISessionSender sessions, Action<RunEvent> post, TimeProvider time, ILogger log)
{
    private readonly MetricsFile metrics = new(Path.Combine(plan.Output, RunDirectory.MetricsFile));
    private Task verifying = Task.CompletedTask;
    private Task noting = Task.CompletedTask;
    private bool failed;
    private (Send Send, CoordinatorMessage Message)? told;

    /// <summary>
    /// Performs the actions in order. When one fails the rest are dropped, so that nobody hears of what was not recorded,
    /// and the run is told; only for a run that is over already is everything tried.
    /// </summary>
    public async Task PerformAsync(Decision decision, CancellationToken cancellation)
    {
        // How a run ended is written down even when the coordinator is asked to stop at that very moment.
        if (decision.Next.IsOver)
            cancellation = CancellationToken.None;
        foreach (var action in decision.Actions)
        {
            if (!decision.Next.IsOver && IsNote(action))
                noting = NoteDown(noting, decision, action, cancellation);
            else if (!await TryAsync(decision, action, cancellation).ConfigureAwait(false))
                return;
        }
    }

    /// <summary>Completes when all that was noted down so far is written.</summary>
    public Task NotedAsync() => noting;

    /// <summary>Leaves the run's progress in the store when the coordinator stops before the run does.</summary>
    public async Task CloseAsync(RunState state)
    {
        await verifying.ConfigureAwait(false);
        await noting.ConfigureAwait(false);
        metrics.Dispose();
        if (state.IsOver)
            return;
        try
        {
            await store.RecordProgressAsync(
                plan.RunId,
                new RecordProgress(RunOverview.Condition(state), state.Reason, state.Committed.Step, state.TrainingTime, state.Totals),
                CancellationToken.None).ConfigureAwait(false);
        }
        catch (StoreException e)
        {
            CoordinatorLog.ActionFailed(log, plan.RunId, nameof(RecordProgress), e.Message);
        }
    }

    /// <summary>What nobody is told of in the same step: it may be written while the step goes on.</summary>
    private static bool IsNote(RunAction action) => action is RecordCheckpoint or RecordProgress or DeleteCheckpoint or Note;

    private Task NoteDown(Task before, Decision decision, RunAction action, CancellationToken cancellation) => Task.Run(
        async () =>
        {
            await before.ConfigureAwait(false);
            try
            {
                if (!Volatile.Read(ref failed) && !await TryAsync(decision, action, cancellation).ConfigureAwait(false))
                    Volatile.Write(ref failed, true);
            }
            catch (OperationCanceledException)
            {
                Volatile.Write(ref failed, true); // the coordinator stops
            }
        },
        CancellationToken.None);

    /// <summary>False: the action failed, and the run was told.</summary>
    private async Task<bool> TryAsync(Decision decision, RunAction action, CancellationToken cancellation)
    {
        try
        {
            if (!IsNote(action) && action is not (Send { Order: CommitOrder } or WriteStepLine))
                await noting.ConfigureAwait(false);
            if (!Volatile.Read(ref failed) || decision.Next.IsOver)
                await PerformAsync(decision, action, cancellation).ConfigureAwait(false);
            return true;
        }
        catch (FencingLostException e)
        {
            post(new StoreLost(e.Message));
            return false;
        }
        catch (Exception e) when (e is StoreException or IOException or UnauthorizedAccessException)
        {
            CoordinatorLog.ActionFailed(log, plan.RunId, action.GetType().Name, e.Message);
            if (decision.Next.IsOver)
                return true;
            post(new HostFailed($"{action.GetType().Name} could not be carried out: {e.Message}"));
            return false;
        }
    }

    /// <summary>What is broadcast is one message, made once.</summary>
    private CoordinatorMessage MessageOf(Send send)
    {
        if (told is not { } last || !ReferenceEquals(last.Send.Order, send.Order) || (last.Send.Generation, last.Send.Step) != (send.Generation, send.Step))
            told = last = (send, OrderMessages.Of(plan, send));
        return last.Message;
    }

    private async Task PerformAsync(Decision decision, RunAction action, CancellationToken cancellation)
    {
        switch (action)
        {
            case Send send:
                sessions.Send(send.Session, MessageOf(send));
                break;
            case WriteStepLine step:
                metrics.Append(step.Line);
                break;
            case WriteEvaluationLine evaluation:
                metrics.Append(evaluation);
                break;
            case ProposeGeneration propose:
                var granted = await store.TryMakeGenerationAsync(
                    plan.RunId, propose.Number, propose.Members, propose.BaseStep, propose.Why, cancellation).ConfigureAwait(false);
                post(granted
                    ? new GenerationGranted(propose.Number)
                    : new StoreLost($"generation {propose.Number} of run {plan.RunId} was made by another coordinator"));
                break;
            case RecordFacts facts:
                await store.RecordFactsAsync(plan.RunId, facts.Facts, cancellation).ConfigureAwait(false);
                break;
            case RecordEvaluation record:
                await store.RecordEvaluationAsync(plan.RunId, record.Evaluation, cancellation).ConfigureAwait(false);
                break;
            case RecordCheckpoint record:
                await store.RecordCheckpointAsync(plan.RunId, record.Checkpoint, cancellation).ConfigureAwait(false);
                break;
            case RecordProgress progress:
                await store.RecordProgressAsync(plan.RunId, progress, cancellation).ConfigureAwait(false);
                break;
            case CutHistory cut:
                await store.CutHistoryAsync(plan.RunId, cut.Step, cancellation).ConfigureAwait(false);
                metrics.Cut(cut.Step, cut.Restored, cut.Evaluated);
                break;
            case VerifyCheckpoint verify:
                verifying = VerifyAsync(verifying, verify);
                break;
            case DeleteCheckpoint delete:
                // In this order: a file that nobody knows of would stay for ever.
                CheckpointDirectory.Delete(plan.Output, delete.Checkpoint.Step);
                await store.ForgetCheckpointAsync(plan.RunId, delete.Checkpoint.File, cancellation).ConfigureAwait(false);
                break;
            case Note note:
                await NoteAsync(decision.Next, note, cancellation).ConfigureAwait(false);
                break;
            case EndRun end:
                await EndAsync(decision.Next, end, cancellation).ConfigureAwait(false);
                break;
        }
    }

    /// <summary>Reading a large file takes a while; no commit waits for it.</summary>
    private Task VerifyAsync(Task before, VerifyCheckpoint verify) => Task.Run(async () =>
    {
        await before.ConfigureAwait(false);
        post(new CheckpointVerified(verify.Step, verify.File, RunDirectory.ProblemOf(plan.Output, verify.File, verify.Bytes, verify.Sha256)));
    });

    private async Task EndAsync(RunState state, EndRun end, CancellationToken cancellation)
    {
        metrics.Dispose();
        CoordinatorLog.RunEnded(log, plan.RunId, StoredNames.Of(end.Condition), end.Why);
        var records = await store.ReadRecordsAsync(plan.RunId, cancellation).ConfigureAwait(false);
        SummaryFile.Write(plan.Output, state, records.Generations, time.GetUtcNow());
    }

    private async Task NoteAsync(RunState state, Note note, CancellationToken cancellation)
    {
        CoordinatorTelemetry.Count(plan.RunId, note.Kind);
        switch (note.Kind)
        {
            case NoteKind.StaleMessage:
                CoordinatorLog.StaleMessage(log, plan.RunId, note.Text);
                return; // counted, but no part of the run's history: a partitioned worker may send many
            case NoteKind.Joined:
                CoordinatorLog.Joined(log, plan.RunId, note.Text);
                break;
            case NoteKind.Refused:
                CoordinatorLog.Refused(log, plan.RunId, note.Text);
                break;
            case NoteKind.Evicted:
                CoordinatorLog.Evicted(log, plan.RunId, note.Text);
                break;
            case NoteKind.Generation:
                CoordinatorLog.GenerationStarted(log, plan.RunId, note.Text);
                return; // the store wrote that down when it made the generation
            case NoteKind.Warning:
                CoordinatorLog.RunWarning(log, plan.RunId, note.Text);
                break;
        }

        await store.AddHistoryAsync(plan.RunId, StoredNames.Of(note.Kind), state.Committed.Step, note.Text, cancellation).ConfigureAwait(false);
    }
}
