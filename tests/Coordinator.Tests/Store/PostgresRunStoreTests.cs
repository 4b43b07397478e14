using System.Collections.Immutable;
using AdderNet.Coordinator.RunLogic;
using AdderNet.Coordinator.Store;
using AdderNet.Core.Sharding;
using Xunit;

namespace AdderNet.Coordinator.Tests.Store;

[Collection(PostgresCollection.Name)]
public sealed class PostgresRunStoreTests(PostgresServer server) : RunStoreTests
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(500);

    [Fact]
    public async Task A_host_whose_clock_is_wrong_neither_takes_a_living_lease_nor_keeps_a_dead_one()
    {
        var place = await server.CreateAsync();
        await using var right = place.Open();
        await using var fast = StoreAddress.Open(place.Address, CoordinatorOptions.DefaultCluster, new WrongClock(TimeSpan.FromHours(1)));
        await using var slow = StoreAddress.Open(place.Address, CoordinatorOptions.DefaultCluster, new WrongClock(TimeSpan.FromHours(-1)));
        Assert.Null(await right.AcquireAsync("right", Lease, _ => false, default));
        Assert.Equal("right", await fast.AcquireAsync("fast", Lease, _ => false, default));
        await place.LetPassAsync(Lease);
        Assert.Null(await slow.AcquireAsync("slow", Lease, _ => false, default));
    }

    [Theory]
    [InlineData("Password=wrong", "refuses the credentials")]
    [InlineData("Database=nowhere", "is not there")]
    [InlineData("Host=/nowhere", "cannot be reached")]
    [InlineData("Host=127.0.0.1;Port=1", "cannot be reached")]
    public async Task A_server_that_cannot_be_used_is_told_in_one_line_without_the_password(string wrong, string said)
    {
        await using var store = StoreAddress.Open($"postgres:{server.Connection};{wrong}", CoordinatorOptions.DefaultCluster, TimeProvider.System);
        var error = await Assert.ThrowsAsync<StoreException>(() => store.AcquireAsync("me", Lease, _ => false, default));
        Assert.Contains(said, error.Message);
        Assert.DoesNotContain('\n', error.Message);
        Assert.DoesNotContain("Password=addernet", error.Message);
        Assert.DoesNotContain("wrong", error.Message);
    }

    [Fact]
    public async Task A_server_that_is_restarted_delays_a_write_and_loses_none()
    {
        var place = await server.CreateAsync();
        await using var store = place.Open();
        Assert.Null(await store.AcquireAsync("me", TimeSpan.FromMinutes(5), _ => false, default));
        var id = (await store.CreateRunAsync(new NewRun("stem", "text", "", 1, "/out"), default)).RunId;
        await server.CommandAsync("kill");
        var writing = store.AddHistoryAsync(id, "warning", 1, "while it was away", default);
        Assert.False(writing.IsCompleted);
        await server.CommandAsync("start");
        await writing;
        Assert.Equal("while it was away", (await store.ReadHistoryAsync(id, default))[^1].Text);
    }

    [Fact]
    public async Task A_commit_whose_answer_is_lost_is_made_once()
    {
        var place = await server.CreateAsync();
        var cut = 0;
        void Cut(StorePoint point)
        {
            // The server has committed, but the connection breaks before we hear of it.
            if (point.Committed && Interlocked.Exchange(ref cut, 0) == 1)
                throw new IOException("the connection broke");
        }

        await using var store = StoreAddress.Open(place.Address, CoordinatorOptions.DefaultCluster, TimeProvider.System, Cut);
        Assert.Null(await store.AcquireAsync("me", Lease, _ => false, default));
        async Task<T> Twice<T>(Func<Task<T>> write)
        {
            cut = 1;
            var result = await write();
            Assert.Equal(0, cut);
            return result;
        }

        Assert.Null(await Twice(() => store.AcquireAsync("me", Lease, _ => true, default)));
        var run = await Twice(() => store.CreateRunAsync(new NewRun("stem", "text", "", 1, "/out"), default));
        ImmutableArray<GenerationMember> members = [new("a", "http://a", new ShardRange(0, 8), true)];
        Assert.True(await Twice(() => store.TryMakeGenerationAsync(run.RunId, 1, members, 0, "start", default)));
        await Twice(async () =>
        {
            await store.AddHistoryAsync(run.RunId, "warning", 0, "once", default);
            return true;
        });
        Assert.Equal(run.RunId, Assert.Single(await store.ListRunsAsync(default)).RunId);
        Assert.Equal(["submitted", "generation", "warning"], (await store.ReadHistoryAsync(run.RunId, default)).Select(h => h.Kind));
        Assert.True(await store.TryMakeGenerationAsync(run.RunId, 2, members, 0, "next", default));
    }

    protected override async Task<TestStore> CreateAsync() => await server.CreateAsync();

    private sealed class WrongClock(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + by;
    }
}
