using AdderNet.Coordinator.RunLogic;
using AdderNet.Coordinator.Store;
using AdderNet.Protos.Rpc;
using AdderNet.Protos.V1;
using Microsoft.Extensions.Logging;

namespace AdderNet.Coordinator.Hosting;

/// <summary>The gRPC service <c>addernet.v1.Coordination</c>: protobuf outside, run logic inside.</summary>
internal sealed class CoordinationService(
    IRunDesk runs, IRunDoors doors, WorkerPool pool, SessionTable sessions, TimeProvider time, ILogger log) : IRpcService
{
    /// <summary>A watched run's status is looked at so often.</summary>
    private static readonly TimeSpan WatchPeriod = TimeSpan.FromMilliseconds(100);

    public void Bind(RpcServiceBinder binder)
    {
        binder.Duplex(CoordinationMethods.Session, SessionAsync);
        binder.Unary(CoordinationMethods.SubmitRun, (request, context) => Answer(async () =>
        {
            var (runId, resumed) = await runs.SubmitAsync(
                request.Description, request.InitialWeights, (int)request.ExpectedWorkers, context.CancellationToken).ConfigureAwait(false);
            return new SubmitRunReply { RunId = runId, Resumed = resumed };
        }));
        binder.Unary(CoordinationMethods.ListRuns, (_, context) => Answer(async () =>
        {
            var reply = new ListRunsReply();
            reply.Runs.AddRange(await runs.StatusesAsync(context.CancellationToken).ConfigureAwait(false));
            return reply;
        }));
        binder.Unary(CoordinationMethods.GetRun, (request, context) => Answer(() => runs.StatusAsync(request.RunId, context.CancellationToken)));
        binder.Unary(CoordinationMethods.ControlRun, (request, context) => Answer(() => runs.ControlAsync(request.RunId, request.Action, context.CancellationToken)));
        binder.ServerStreaming(CoordinationMethods.WatchRun, (request, writer, context) => Answer(async () =>
        {
            await WatchAsync(request.RunId, writer, context).ConfigureAwait(false);
            return true;
        }));
        binder.ServerStreaming(CoordinationMethods.ReadHistory, (request, writer, context) => Answer(async () =>
        {
            foreach (var entry in await runs.HistoryAsync(request.RunId, context.CancellationToken).ConfigureAwait(false))
                await writer.WriteAsync(StatusMessages.Of(entry), context.CancellationToken).ConfigureAwait(false);
            return true;
        }));
    }

    /// <summary>Refusals become the status that fits; the sentence is the same.</summary>
    private static async Task<T> Answer<T>(Func<Task<T>> answer)
    {
        try
        {
            return await answer().ConfigureAwait(false);
        }
        catch (RunRefusedException e)
        {
            throw new RpcException(
                e.Kind switch
                {
                    RefusalKind.Invalid => RpcStatusCode.InvalidArgument,
                    RefusalKind.NotFound => RpcStatusCode.NotFound,
                    _ => RpcStatusCode.FailedPrecondition,
                },
                e.Message);
        }
        catch (StoreException e)
        {
            throw new RpcException(RpcStatusCode.Unavailable, e.Message);
        }
    }

    private async Task WatchAsync(string runId, IRpcWriter<RunStatus> writer, RpcServerContext context)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, context.ServerStopping);
        var shown = await runs.StatusAsync(runId, ends.Token).ConfigureAwait(false);
        await writer.WriteAsync(shown, ends.Token).ConfigureAwait(false);
        while (StoredRun.Drives(StoredNames.To<RunCondition>(shown.State)))
        {
            await Task.Delay(WatchPeriod, time, ends.Token).ConfigureAwait(false);
            var status = await runs.StatusAsync(shown.RunId, ends.Token).ConfigureAwait(false);
            if (status.Equals(shown))
                continue;
            shown = status;
            await writer.WriteAsync(shown, ends.Token).ConfigureAwait(false);
        }
    }

    private async Task SessionAsync(IAsyncEnumerable<WorkerMessage> requests, IRpcWriter<CoordinatorMessage> writer, RpcServerContext context)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, context.ServerStopping);
        await using var messages = requests.GetAsyncEnumerator(ends.Token);
        if (!await messages.MoveNextAsync().ConfigureAwait(false) || messages.Current.BodyCase != WorkerMessage.BodyOneofCase.Hello)
            throw new RpcException(RpcStatusCode.InvalidArgument, "the first message of a session must be Hello");
        var first = messages.Current;
        if (WorkerMessages.Hello(first.Hello) is (null, var problem))
            throw new RpcException(RpcStatusCode.InvalidArgument, problem);

        using var link = sessions.Open(first.Hello.WorkerId);
        using var close = link.Closed.Register(ends.Cancel);
        CoordinatorLog.SessionOpened(log, link.Id, link.WorkerId, context.Peer);
        var seat = new WorkerSeat(link, first.Hello);
        var writing = WriteAsync(link, writer, context.CancellationToken);
        var reason = "the worker ended it";
        try
        {
            await PlaceAsync(seat, first.RunId.Length > 0 ? first.RunId : first.Hello.WantedRun, ends.Token).ConfigureAwait(false);
            while (await messages.MoveNextAsync().ConfigureAwait(false))
                seat.Receive(messages.Current);
        }
        catch (OperationCanceledException)
        {
            reason = context.ServerStopping.IsCancellationRequested ? "the coordinator stops" : "the connection is gone";
        }
        finally
        {
            pool.Remove(seat);
            seat.Leave();
            sessions.Remove(link);
            await writing.ConfigureAwait(false);
            CoordinatorLog.SessionClosed(log, link.Id, link.WorkerId, reason);
        }
    }

    /// <summary>A worker that wants a run, or was in one, goes there; any other one waits for a run that wants it.</summary>
    private async Task PlaceAsync(WorkerSeat seat, string runId, CancellationToken cancellation)
    {
        if (runId.Length == 0)
        {
            pool.Add(seat);
            return;
        }

        try
        {
            if (await doors.TryJoinAsync(seat, runId, cancellation).ConfigureAwait(false))
                return;
            var ended = await runs.StatusAsync(runId, cancellation).ConfigureAwait(false);
            seat.Link.Send(new CoordinatorMessage { RunId = runId, RunEnded = OrderMessages.Ended(StoredNames.To<RunCondition>(ended.State), ended.Reason) });
        }
        catch (RunRefusedException e)
        {
            seat.Link.Send(new CoordinatorMessage { Refused = new Refused { Reason = e.Message, Final = true } });
        }
    }

    private static async Task WriteAsync(SessionLink link, IRpcWriter<CoordinatorMessage> writer, CancellationToken cancellation)
    {
        try
        {
            await foreach (var message in link.Outbound.ReadAllAsync(cancellation).ConfigureAwait(false))
                await writer.WriteAsync(message, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or RpcException)
        {
            // The worker is gone: the reading side says so to the run.
        }
    }
}
