using System.Net;
using AdderNet.Coordinator.Silos.Storage;
using AdderNet.Coordinator.Tests.Store;
using Xunit;

namespace AdderNet.Coordinator.Tests.Silos;

/// <summary>The list of silos changes only from the version that its writer read: two that write at once do not both succeed.</summary>
[Collection(PostgresCollection.Name)]
public sealed class StoreMembershipTableTests(PostgresServer server)
{
    private static readonly DateTime Start = new(2026, 11, 22, 12, 0, 0, DateTimeKind.Utc);

    [Fact]
    public async Task A_silo_is_entered_once_and_read_as_it_was_written()
    {
        await using var store = await SiloStore.CreateAsync(server);
        var table = new StoreMembershipTable(store.Database);
        var list = await table.ReadAll();
        Assert.Empty(list.Members);

        var entry = Silo(1);
        entry.AddSuspector(Silo(2).SiloAddress, Start.AddSeconds(3));
        Assert.True(await table.InsertRow(entry, list.Version.Next()));
        Assert.False(await table.InsertRow(entry, list.Version.Next()));
        var after = await table.ReadAll();
        Assert.False(await table.InsertRow(entry, after.Version.Next()));

        var read = Assert.Single((await table.ReadRow(entry.SiloAddress)).Members).Item1;
        Assert.Equal(entry.SiloAddress, read.SiloAddress);
        Assert.Equal(
            (entry.Status, entry.HostName, entry.SiloName, entry.StartTime, entry.IAmAliveTime), (read.Status, read.HostName, read.SiloName, read.StartTime, read.IAmAliveTime));
        Assert.Equal(entry.SuspectTimes, read.SuspectTimes);
        Assert.Equal(list.Version.Version + 1, after.Version.Version);
    }

    [Fact]
    public async Task Of_two_changes_made_from_one_version_one_is_refused()
    {
        await using var store = await SiloStore.CreateAsync(server);
        var table = new StoreMembershipTable(store.Database);
        Assert.True(await table.InsertRow(Silo(1), (await table.ReadAll()).Version.Next()));
        Assert.True(await table.InsertRow(Silo(2), (await table.ReadAll()).Version.Next()));

        var list = await table.ReadAll();
        var (first, etag) = list.TryGet(Silo(1).SiloAddress)!;
        var (second, other) = list.TryGet(Silo(2).SiloAddress)!;
        first.Status = SiloStatus.Dead;
        second.Status = SiloStatus.Dead;
        var results = await Task.WhenAll(table.UpdateRow(first, etag, list.Version.Next()), table.UpdateRow(second, other, list.Version.Next()));
        Assert.Equal([false, true], results.Order());
        Assert.Single((await table.ReadAll()).Members, m => m.Item1.Status == SiloStatus.Dead);

        // The list as it is, but a row that has changed since it was read.
        list = await table.ReadAll();
        Assert.False(await table.UpdateRow(first, "17", list.Version.Next()));
    }

    [Fact]
    public async Task A_change_whose_answer_was_lost_is_made_once()
    {
        await using var store = await SiloStore.CreateAsync(server);
        var table = new StoreMembershipTable(store.Database);
        var list = await table.ReadAll();
        Assert.True(await store.TwiceAsync(() => table.InsertRow(Silo(1), list.Version.Next())));
        var after = await table.ReadAll();
        var (entry, etag) = Assert.Single(after.Members);
        entry.Status = SiloStatus.Dead;
        Assert.True(await store.TwiceAsync(() => table.UpdateRow(entry, etag, after.Version.Next())));
        Assert.Equal(list.Version.Version + 2, (await table.ReadAll()).Version.Version);
    }

    [Fact]
    public async Task Signs_of_life_change_no_version_and_only_the_long_dead_are_forgotten()
    {
        await using var store = await SiloStore.CreateAsync(server);
        var table = new StoreMembershipTable(store.Database);
        foreach (var (port, status) in new[] { (1, SiloStatus.Dead), (2, SiloStatus.Active), (3, SiloStatus.Dead) })
        {
            var entry = Silo(port);
            entry.Status = status;
            Assert.True(await table.InsertRow(entry, (await table.ReadAll()).Version.Next()));
        }

        var before = await table.ReadAll();
        var alive = Silo(3);
        alive.IAmAliveTime = Start.AddHours(2);
        await table.UpdateIAmAlive(alive);
        var after = await table.ReadAll();
        Assert.Equal(before.Version.Version, after.Version.Version);
        Assert.Equal(alive.IAmAliveTime, after.TryGet(alive.SiloAddress)!.Item1.IAmAliveTime);

        await table.CleanupDefunctSiloEntries(Start.AddHours(1));
        Assert.Equal([2, 3], (await table.ReadAll()).Members.Select(m => m.Item1.SiloAddress.Endpoint.Port).Order());
    }

    private static MembershipEntry Silo(int port) => new()
    {
        SiloAddress = SiloAddress.New(new IPEndPoint(IPAddress.Loopback, port), 7),
        Status = SiloStatus.Active,
        HostName = "host",
        SiloName = $"silo-{port}",
        RoleName = "role",
        StartTime = Start,
        IAmAliveTime = Start.AddSeconds(1),
    };
}
