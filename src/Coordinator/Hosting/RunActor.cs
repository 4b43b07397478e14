using System.Diagnostics;
using System.Threading.Channels;
using AdderNet.Coordinator.RunLogic;
using AdderNet.Protos.V1;
using Microsoft.Extensions.Logging;

namespace AdderNet.Coordinator.Hosting;

/// <summary>One run in this process: takes its events one at a time, asks the machine, and has the decision carried out.</summary>
internal sealed class RunActor : IRunDoor, IAsyncDisposable
{
    private readonly Channel<(RunEvent Event, TimeSpan At, TaskCompletionSource? Done)> events =
        Channel.CreateUnbounded<(RunEvent, TimeSpan, TaskCompletionSource?)>(new UnboundedChannelOptions { SingleReader = true });

    private readonly CancellationTokenSource stop = new();
    private readonly StoreLease lease;
    private readonly RunExecutor executor;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private readonly long started;
    private readonly Task loop;
    private Activity? phaseActivity;
    private TimeSpan latest;
    private RunState state;
    private StoreLost? fencedOff;

    /// <param name="plan">The run.</param>
    /// <param name="memory">What the store remembers of it.</param>
    /// <param name="lease">Without it nothing is decided: another coordinator may be driving the run.</param>
    /// <param name="createExecutor">Makes what carries decisions out; it posts its answers back.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Where to log.</param>
    public RunActor(RunPlan plan, RunMemory memory, StoreLease lease, Func<Action<RunEvent>, RunExecutor> createExecutor, TimeProvider time, ILogger log)
    {
        this.time = time;
        this.log = log;
        this.lease = lease;
        executor = createExecutor(Answer);
        started = time.GetTimestamp();
        state = RunState.Begin(plan, memory, TimeSpan.Zero);
        loop = RunAsync();
    }

    /// <summary>The state after the newest decision; immutable.</summary>
    public RunState State => Volatile.Read(ref state);

    /// <summary>
    /// Hands in an event without waiting. It counts as of now, however long the run waits for its store before it is
    /// handled: time that nobody could answer in ends no worker's lease.
    /// </summary>
    public void Post(RunEvent @event) => events.Writer.TryWrite((@event, time.GetElapsedTime(started), null));

    public void Connect(SessionLink link, Hello hello) => Connect(link.WorkerId, link.Id, hello);

    public void Receive(SessionLink link, WorkerMessage message) => Receive(link.WorkerId, link.Id, message);

    public void Leave(SessionLink link) => Post(new StreamClosed(link.WorkerId, link.Id));

    /// <summary>A worker came over a session, here or elsewhere.</summary>
    public void Connect(string workerId, long session, Hello hello)
    {
        if (WorkerMessages.Hello(hello).Info is { } info)
            Post(new MemberConnected(workerId, session, info));
    }

    /// <summary>A worker said something; what this build does not know says nothing.</summary>
    public void Receive(string workerId, long session, WorkerMessage message)
    {
        if (WorkerMessages.Event(workerId, session, message) is { } @event)
            Post(@event);
    }

    /// <summary>How many more workers the run would take in.</summary>
    public int FreePlaces => State is var now && Membership.Wants(now) ? now.Plan.Description.Elastic.MaxWorkers - now.Members.Count : 0;

    /// <summary>Hands in an event and waits until its decision was carried out.</summary>
    public async Task PostAndWaitAsync(RunEvent @event, CancellationToken cancellation)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (events.Writer.TryWrite((@event, time.GetElapsedTime(started), done)))
            await done.Task.WaitAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Stops driving the run and leaves it in the store as it stands.</summary>
    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync().ConfigureAwait(false);
        await loop.ConfigureAwait(false);
        await executor.CloseAsync(State).ConfigureAwait(false);
        stop.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            await foreach (var (@event, at, done) in events.Reader.ReadAllAsync(stop.Token).ConfigureAwait(false))
            {
                latest = at > latest ? at : latest;
                if (await StoreLostAsync().ConfigureAwait(false) is { } lost && !state.IsOver)
                    await HandleAsync(lost).ConfigureAwait(false);
                await HandleAsync(@event).ConfigureAwait(false);
                if (done is null)
                    continue;
                await executor.NotedAsync().ConfigureAwait(false);
                done.TrySetResult();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
        finally
        {
            events.Writer.TryComplete();
            while (events.Reader.TryRead(out var left))
                left.Done?.TrySetResult();
            phaseActivity?.Dispose();
        }
    }

    /// <summary>What the executor answers. Once the store has refused it, nothing that came in before is decided any more.</summary>
    private void Answer(RunEvent @event)
    {
        if (@event is StoreLost lost)
            Volatile.Write(ref fencedOff, lost);
        Post(@event);
    }

    private async ValueTask<StoreLost?> StoreLostAsync() =>
        Volatile.Read(ref fencedOff) ?? (await lease.UntilHeldAsync(stop.Token).ConfigureAwait(false) is { } why ? new StoreLost(why) : null);

    private async Task HandleAsync(RunEvent @event)
    {
        var before = state;
        var decision = Decide(before, @event);
        Volatile.Write(ref state, decision.Next);
        FollowPhase(before, decision.Next);
        if (decision.Reason != before.Reason && !decision.Actions.Any(a => a is Note note && note.Text == decision.Reason))
            CoordinatorLog.RunReason(log, before.Plan.RunId, decision.Reason);
        if (!decision.Actions.IsEmpty)
            await executor.PerformAsync(decision, stop.Token).ConfigureAwait(false);
    }

    /// <summary>A fault of the machine itself ends this run, not the coordinator and its other runs.</summary>
    private Decision Decide(RunState before, RunEvent @event)
    {
        try
        {
            return RunMachine.Apply(before, @event, latest);
        }
        catch (Exception e)
        {
            CoordinatorLog.MachineFault(log, e, before.Plan.RunId, @event.GetType().Name);
            return RunMachine.Apply(before, new HostFailed($"a fault in the coordinator at {@event.GetType().Name}: {e.Message}"), latest);
        }
    }

    private void FollowPhase(RunState before, RunState after)
    {
        var same = before.Phase.GetType() == after.Phase.GetType() && before.Committed.Step == after.Committed.Step
            && before.Generation?.Number == after.Generation?.Number;
        if (same)
            return;
        if (after.Committed.Step == before.Committed.Step + 1 && before.Phase is Stepping)
            CoordinatorTelemetry.Committed(after.Plan.RunId, after.TrainingTime - before.TrainingTime);
        phaseActivity?.Dispose();
        phaseActivity = CoordinatorTelemetry.StartPhase(after);
    }
}
