using System.Reflection;
using AdderNet.Coordinator.Hosting;
using AdderNet.Coordinator.RunLogic;
using AdderNet.Coordinator.Store;
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
        await using var desk = await HeldDesk.OpenAsync();
        var doors = new LocalDoors(desk.Runs, desk.Catalog);
        var (id, _) = await desk.SubmitAsync();

        // The run is busy writing down that one worker has left, when another one comes.
        var first = new WorkerSeat(desk.Sessions.Open("a"), Said);
        Assert.True(await doors.TryJoinAsync(first, id, default));
        var actor = desk.Runs.Find(id)!;
        await actor.PostAndWaitAsync(new Tick(), default);
        Assert.Equal(["a"], actor.State.Members.Keys);
        desk.Store.Hold("a is no member any more");
        first.Leave();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!desk.Store.Reached.IsCompleted)
        {
            actor.Post(new Tick());
            await Task.Delay(Moment, TimeProvider.System, limit.Token);
        }

        Assert.Empty(actor.State.Members);
        Assert.True(await doors.TryJoinAsync(new WorkerSeat(desk.Sessions.Open("b"), Said), id, default));

        var again = desk.SubmitAsync();
        await Task.Delay(Moment, TimeProvider.System);
        desk.Store.GoOn();
        Assert.Equal((id, true), await again);
        var driven = desk.Runs.Find(id)!;
        await driven.PostAndWaitAsync(new Tick(), default);
        Assert.Equal(["b"], driven.State.Members.Keys);
    }

    [Fact]
    public async Task Nothing_that_came_in_before_is_decided_once_the_store_refused_a_write()
    {
        await using var desk = await HeldDesk.OpenAsync();
        var (id, _) = await desk.SubmitAsync();
        var actor = desk.Runs.Find(id)!;

        // It waits for its store with a worker's coming, and a cancellation is in the queue, when another coordinator takes the store.
        desk.Store.Hold("a at http://127.0.0.1:1");
        actor.Post(new MemberConnected("a", 1, new WorkerInfo("test", 1, "managed", "probe", "http://127.0.0.1:1", 1, "here", 1)));
        actor.Post(new MemberPrepared("a", 1, "identity", "data", AdderNet.Coordinator.RunLogic.MemberReport.Fresh, 160, 25, ["conv1"]));
        await desk.Store.Reached.WaitAsync(TimeSpan.FromMinutes(1));
        var cancelled = actor.PostAndWaitAsync(new ControlAsked(ControlKind.Cancel, "asked for"), default);
        await using (var thief = desk.Place.Open())
            await thief.AcquireAsync("thief", TimeSpan.FromMinutes(1), _ => true, default);
        desk.Store.GoOn();
        await cancelled.WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(RunCondition.Failed, RunOverview.Condition(actor.State));
        Assert.Contains("lets go of the run", actor.State.Reason, StringComparison.Ordinal);
    }

    /// <summary>A catalog on a store that can be held; disposed it lets the store go on, so that what waits for it ends when a test fails.</summary>
    private sealed class HeldDesk : IAsyncDisposable
    {
        private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("addernet-catalog-");
        private readonly IRunStore kept;
        private readonly StoreLease lease;

        private HeldDesk(SqliteTestStore place, IRunStore kept, IRunStore store, StoreLease lease)
        {
            (Place, this.kept, this.lease) = (place, kept, lease);
            Store = (HeldStore)(object)store;
            Sessions = new SessionTable(0, NullLogger.Instance);
            Runs = new LocalRuns(new RunActors(store, Sessions, TimeProvider.System, NullLogger.Instance), lease);
            Catalog = new RunCatalog(store, Runs, NullLogger.Instance);
        }

        public SqliteTestStore Place { get; }

        public HeldStore Store { get; }

        public SessionTable Sessions { get; }

        public LocalRuns Runs { get; }

        public RunCatalog Catalog { get; }

        /// <summary>Its lease is so long that only a refused write can tell that another coordinator has the store.</summary>
        public static async Task<HeldDesk> OpenAsync()
        {
            var place = new SqliteTestStore();
            var kept = place.Open();
            var store = DispatchProxy.Create<IRunStore, HeldStore>();
            ((HeldStore)(object)store).Kept = kept;
            var lease = await StoreLease.TakeAsync(
                store, LeaseOwner.ThisProcess(), TimeSpan.FromHours(1), standby: false, TimeProvider.System, NullLogger.Instance, default);
            return new HeldDesk(place, kept, store, lease);
        }

        public Task<(string RunId, bool Resumed)> SubmitAsync() =>
            Catalog.SubmitAsync(Faults.Runs.Describe(Path.Combine(directory.FullName, "out"), 2).Description, "", 1, default);

        public async ValueTask DisposeAsync()
        {
            Store.GoOn();
            Catalog.Dispose();
            await Runs.DisposeAsync();
            await lease.DisposeAsync();
            await kept.DisposeAsync();
            await Place.DisposeAsync();
            directory.Delete(recursive: true);
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
