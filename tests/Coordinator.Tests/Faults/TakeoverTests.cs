using AdderNet.Coordinator.Tests.Store;
using AdderNet.Protos.Rpc;
using Xunit;

namespace AdderNet.Coordinator.Tests.Faults;

/// <summary>Coordinators on PostgreSQL that take over from one another, and a server that goes away.</summary>
[Collection(PostgresCollection.Name)]
public sealed class TakeoverTests(PostgresServer server) : IDisposable
{
    private const int Steps = 30;
    /// <summary>Long enough that a busy machine takes it from nobody; one whose process was killed is not waited for.</summary>
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("addernet-takeover-");
    private readonly CancellationTokenSource limit = new(Limit, TimeProvider.System);

    private string Points => Path.Combine(directory.FullName, "points");

    private string Output => Path.Combine(directory.FullName, "out");

    public void Dispose()
    {
        limit.Dispose();
        directory.Delete(recursive: true);
    }

    [Fact]
    public async Task A_standby_takes_over_when_the_coordinator_is_killed_and_the_run_ends_whole()
    {
        var place = await server.CreateAsync();
        var address = CoordinatorProcess.FreeAddress();
        await using var crew = Workers(address);
        await using var active = CoordinatorProcess.Start(place.Address, address, Points, Lease);
        Assert.NotNull(await active.Listening);
        await using var standby = CoordinatorProcess.Start(place.Address, address, Points, Lease, role: "standby");
        var step = await SubmitAndReachAsync(address, 8);
        Assert.False(standby.Listening.IsCompleted);

        active.Kill();
        Assert.NotNull(await standby.Listening);
        Assert.True(await Runs.FinishAsync(address, IsOver));
        standby.Stop();
        Assert.Equal((0, ""), await standby.EndAsync());
        await AssertWholeAsync(place, crew);
        Assert.True(step < Steps);
    }

    [Fact]
    public async Task A_coordinator_that_stood_still_while_another_took_over_writes_nothing_more_and_ends_with_one_line()
    {
        var place = await server.CreateAsync();
        var (address, other) = (CoordinatorProcess.FreeAddress(), CoordinatorProcess.FreeAddress());
        await using var crew = Workers(address);
        await using var active = CoordinatorProcess.Start(place.Address, address, Points, Lease);
        Assert.NotNull(await active.Listening);
        await using var standby = CoordinatorProcess.Start(place.Address, other, Points, Lease, role: "standby");
        await SubmitAndReachAsync(address, 8);

        active.StandStill();
        Assert.NotNull(await standby.Listening);
        crew.MoveTo(other);
        active.GoOn();
        var (status, errors) = await active.EndAsync();
        Assert.Equal(1, status);
        Assert.Contains("another coordinator holds store", errors);
        Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.True(await Runs.FinishAsync(other, IsOver));
        standby.Stop();
        await standby.EndAsync();
        await AssertWholeAsync(place, crew);
    }

    [Fact]
    public async Task A_server_that_is_restarted_in_mid_run_delays_it_and_loses_nothing_and_nobody()
    {
        var place = await server.CreateAsync();
        var lease = TimeSpan.FromSeconds(2);
        await using var host = await CoordinatorHost.StartAsync(
            new CoordinatorOptions { Listen = new Uri("http://127.0.0.1:0"), Store = place.Address, StoreLease = lease });
        await using var crew = Workers(host.Address);
        var before = await SubmitAndReachAsync(host.Address, 8);

        await server.CommandAsync("kill");
        await Task.Delay(lease * 2, TimeProvider.System, limit.Token);
        Assert.False(host.Completion.IsCompleted);
        await server.CommandAsync("start");
        Assert.True(await Runs.FinishAsync(host.Address, IsOver));
        Assert.False(host.Completion.IsCompleted);
        await AssertWholeAsync(place, crew);
        Assert.True(before < Steps);
        // The two workers' leases are shorter than the server was away: none ended by it.
        Assert.Equal("1", await place.ValueAsync("SELECT max(number) FROM generations"));
    }

    private bool IsOver() => limit.IsCancellationRequested ? throw new TimeoutException("the run did not end") : false;

    private Crew Workers(Uri address) => new(address, "a", "b")
    {
        BeforeVote = _ => Task.Delay(TimeSpan.FromMilliseconds(30), TimeProvider.System, limit.Token),
    };

    private async Task<ulong> SubmitAndReachAsync(Uri address, ulong step)
    {
        var request = Runs.Describe(Output, Steps);
        request.ExpectedWorkers = 2;
        await Runs.AskAsync(address, client => client.UnaryAsync(CoordinationMethods.SubmitRun, request, null, default), IsOver);
        while (true)
        {
            var status = await Runs.AskAsync(address, client => client.UnaryAsync(CoordinationMethods.GetRun, new Protos.V1.GetRunRequest(), null, default), IsOver);
            if (status!.Step >= step)
                return status.Step;
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, limit.Token);
        }
    }

    private static async Task AssertWholeAsync(TestStore place, Crew crew)
    {
        await using var store = place.Open();
        await Runs.AssertWholeAsync(store, Assert.Single(await store.ListRunsAsync(default)), Steps, crew);
    }
}
