using System.Net;
using AdderNet.Coordinator.Store;
using AdderNet.Coordinator.Tests.Store;
using AdderNet.Protos.Rpc;
using Xunit;

namespace AdderNet.Coordinator.Tests.Hosting;

/// <summary>What holds besides where one coordinator alone holds a store.</summary>
public abstract class SoleCoordinatorTests : CoordinatorHostTests
{
    private ICoordinator host = null!;

    protected override Uri Address => host.Address;

    protected override async Task StartHostAsync(string store) => host = await LaunchAsync(Options(), default);

    protected override async Task StopHostAsync() => await host.DisposeAsync();

    /// <summary>Starts a coordinator in this process.</summary>
    protected virtual async Task<ICoordinator> LaunchAsync(CoordinatorOptions options, CancellationToken cancellation) =>
        await CoordinatorHost.StartAsync(options, cancellation);

    [Fact]
    public async Task A_second_coordinator_on_the_store_and_a_taken_port_are_refused_in_one_line()
    {
        var held = await Assert.ThrowsAsync<StoreException>(() => LaunchAsync(Options(), default));
        Assert.Contains("is held by another coordinator", held.Message);
        Assert.DoesNotContain('\n', held.Message);
        await using var second = await CreateAsync();
        await Assert.ThrowsAsync<RpcListenException>(() => LaunchAsync(
            new CoordinatorOptions { Listen = host.Address, Store = second.Address }, default));
        // What failed to start has let go of its store.
        await using var other = await LaunchAsync(Options() with { Store = second.Address }, default);
    }

    [Fact]
    public async Task A_standby_waits_while_the_store_is_held_and_goes_on_with_its_runs_when_it_is_free()
    {
        await SubmitAsync(maxSteps: 2);
        using var never = new CancellationTokenSource();
        var taking = LaunchAsync(Options() with { Standby = true }, never.Token);
        await using (var a = new FakeWorker(host.Address, "a"))
            await a.Ended.WaitAsync(Patience);
        await SubmitAsync(maxSteps: 3);
        Assert.False(taking.IsCompleted);

        await host.DisposeAsync();
        host = await taking.WaitAsync(Patience);
        await TurnToAsync(host.Address);
        await using var b = new FakeWorker(host.Address, "b");
        await b.Ended.WaitAsync(Patience);
        Assert.Equal(("completed", 3UL), await GetAsync() is var s ? (s.State, s.Step) : default);
    }

    [Fact]
    public async Task A_coordinator_whose_store_another_one_took_lets_go_of_its_runs_and_says_so()
    {
        await SubmitAsync(expected: 2);
        await using var a = new FakeWorker(host.Address, "a");
        await using (var thief = Place.Open())
        {
            await thief.AcquireAsync("thief", TimeSpan.FromMinutes(1), _ => true, default);
            var error = await Assert.ThrowsAsync<FencingLostException>(() => host.Completion.WaitAsync(Patience));
            Assert.Contains("another coordinator holds store", error.Message);
        }

        using var http = new HttpClient();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await http.GetAsync(new Uri(host.Address, "/readyz"))).StatusCode);
        Assert.False(a.Ended.IsCompleted); // nobody is told that the run ended: it has not
    }

    private CoordinatorOptions Options() => new() { Listen = new Uri("http://127.0.0.1:0"), Store = Place.Address };
}
