using System.Reflection;
using AdderNet.Coordinator.Hosting;
using AdderNet.Coordinator.RunLogic;
using AdderNet.Coordinator.Store;
using AdderNet.Coordinator.Tests.Faults;
using AdderNet.Coordinator.Tests.Store;
using AdderNet.Protos.V1;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace AdderNet.Coordinator.Tests.Hosting;

public sealed class RunCatalogTests
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(100);
    private static readonly Hello Said = new() { Build = "test", NumericsVersion = 1, Engine = "managed", ProbeHash = "probe", Address = "http://127.0.0.1:1", Threads = 1, Host = "here", ProcessId = 1, WorkerId = "a" };

    [Fact]
    public async Task A_run_submitted_again_keeps_a_worker_whose_coming_it_has_not_dealt_with_yet()
    {
        await using var place = new SqliteTestStore();
        var directory = Directory.CreateTempSubdirectory("addernet-catalog-");
        try
        {
            await using var kept = place.Open();
            var store = DispatchProxy.Create<IRunStore, HeldStore>();
            var held = (HeldStore)(object)store;
            held.Kept = kept;
            var log = NullLogger.Instance;
            await using var lease = await StoreLease.TakeAsync(store, LeaseOwner.ThisProcess(), TimeSpan.FromMinutes(1), standby: false, TimeProvider.System, log, default);
            var sessions = new SessionTable(0, log);
            await using var runs = new LocalRuns(new RunActors(store, sessions, TimeProvider.System, log), lease);
            using var catalog = new RunCatalog(store, runs, log);
            var doors = new LocalDoors(runs, catalog);
            var description = Runs.Describe(Path.Combine(directory.FullName, "out"), 2).Description;
            var (id, _) = await catalog.SubmitAsync(description, "", 1, default);

            // The run is busy writing down that one worker has left, when another one comes.
            var first = new WorkerSeat(sessions.Open("a"), Said);
            Assert.True(await doors.TryJoinAsync(first, id, default));
            var actor = runs.Find(id)!;
            await actor.PostAndWaitAsync(new Tick(), default);
            Assert.Equal(["a"], actor.State.Members.Keys);
            await using var released = new Released(held);
            held.Hold("a is no member any more");
            first.Leave();
            while (!held.Reached.IsCompleted)
            {
                actor.Post(new Tick());
                await Task.Delay(Moment, TimeProvider.System);
            }

            Assert.Empty(actor.State.Members);
            Assert.True(await doors.TryJoinAsync(new WorkerSeat(sessions.Open("b"), Said), id, default));

            var again = catalog.SubmitAsync(description, "", 1, default);
            await Task.Delay(Moment, TimeProvider.System);
            held.GoOn();
            Assert.Equal((id, true), await again);
            var driven = runs.Find(id)!;
            await driven.PostAndWaitAsync(new Tick(), default);
            Assert.Equal(["b"], driven.State.Members.Keys);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Nothing_that_came_in_before_is_decided_once_the_store_refused_a_write()
    {
        await using var place = new SqliteTestStore();
        var directory = Directory.CreateTempSubdirectory("addernet-catalog-");
        try
        {
            await using var kept = place.Open();
            var store = DispatchProxy.Create<IRunStore, HeldStore>();
            var held = (HeldStore)(object)store;
            held.Kept = kept;
            var log = NullLogger.Instance;
            await using var lease = await StoreLease.TakeAsync(store, LeaseOwner.ThisProcess(), TimeSpan.FromHours(1), standby: false, TimeProvider.System, log, default);
            var sessions = new SessionTable(0, log);
            await using var runs = new LocalRuns(new RunActors(store, sessions, TimeProvider.System, log), lease);
            using var catalog = new RunCatalog(store, runs, log);
            var (id, _) = await catalog.SubmitAsync(Runs.Describe(Path.Combine(directory.FullName, "out"), 2).Description, "", 1, default);
            var actor = runs.Find(id)!;

            // It waits for its store with a worker's coming, and a cancellation is in the queue, when another coordinator takes the store.
            await using var released = new Released(held);
            held.Hold("a at http://127.0.0.1:1");
            actor.Post(new MemberConnected("a", 1, new WorkerInfo("test", 1, "managed", "probe", "http://127.0.0.1:1", 1, "here", 1)));
            actor.Post(new MemberPrepared("a", 1, "identity", "data", AdderNet.Coordinator.RunLogic.MemberReport.Fresh, 160, 25, ["conv1"]));
            await held.Reached.WaitAsync(TimeSpan.FromMinutes(1));
            var cancelled = actor.PostAndWaitAsync(new ControlAsked(ControlKind.Cancel, "asked for"), default);
            await using (var thief = place.Open())
                await thief.AcquireAsync("thief", TimeSpan.FromMinutes(1), _ => true, default);
            held.GoOn();
            await cancelled.WaitAsync(TimeSpan.FromMinutes(1));
            Assert.Equal(RunCondition.Failed, RunOverview.Condition(actor.State));
            Assert.Contains("lets go of the run", actor.State.Reason, StringComparison.Ordinal);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    /// <summary>Lets a held store go on when a test fails, so that what waits for it can end.</summary>
    private sealed class Released(HeldStore held) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            held.GoOn();
            return ValueTask.CompletedTask;
        }
    }

    /// <summary>A store that can be held when it is about to add to a run's history.</summary>
    public class HeldStore : DispatchProxy
    {
        private readonly TaskCompletionSource reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile string? about;

        public Task Reached => reached.Task;

        internal IRunStore Kept { get; set; } = null!;

        /// <summary>Waits with what says this; other entries, such as of a machine that stood still, are written.</summary>
        public void Hold(string what) => about = what;

        public void GoOn() => goOn.TrySetResult();

        protected override object? Invoke(MethodInfo? method, object?[]? arguments) =>
            about is { } what && method!.Name == nameof(IRunStore.AddHistoryAsync) && arguments!.OfType<string>().Any(a => a.Contains(what, StringComparison.Ordinal))
                ? InvokeHeldAsync(method, arguments)
                : method!.Invoke(Kept, arguments);

        private async Task InvokeHeldAsync(MethodInfo method, object?[]? arguments)
        {
            reached.TrySetResult();
            await goOn.Task;
            await (Task)method.Invoke(Kept, arguments)!;
        }
    }
}
