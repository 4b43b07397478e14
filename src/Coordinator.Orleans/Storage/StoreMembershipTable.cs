using System.Globalization;
using AdderNet.Coordinator.Store;

namespace AdderNet.Coordinator.Silos.Storage;

/// <summary>
/// The list of a cluster's silos in the store's database, in tables of the store's own schema. Every change names the version
/// of the list that it was made from, and is made only on that one.
/// </summary>
internal sealed class StoreMembershipTable(IStoreDatabase database) : IMembershipTable
{
    private sealed class Row
    {
        public long Etag { get; init; }

        public string Entry { get; init; } = "";

        public long AliveMs { get; init; }
    }

    private const string Select = "SELECT etag AS Etag, entry AS Entry, alive_ms AS AliveMs FROM silos";

    /// <summary>The tables were made with the store's.</summary>
    public Task InitializeMembershipTable(bool tryInitTableVersion) => Task.CompletedTask;

    public Task DeleteMembershipTableEntries(string clusterId) => TransactAsync(
        nameof(DeleteMembershipTableEntries), transaction => transaction.ExecuteAsync("DELETE FROM silos"));

    public Task CleanupDefunctSiloEntries(DateTimeOffset beforeDate) => TransactAsync(
        nameof(CleanupDefunctSiloEntries),
        async transaction =>
        {
            var removed = 0;
            foreach (var row in await transaction.RowsAsync<Row>(Select + " WHERE alive_ms < @before", new { before = beforeDate.ToUnixTimeMilliseconds() }))
            {
                var entry = SiloEntry.Read(row.Entry, row.AliveMs);
                if (entry.Status == SiloStatus.Dead && entry.StartTime < beforeDate)
                    removed += await transaction.ExecuteAsync("DELETE FROM silos WHERE address = @address", new { address = entry.SiloAddress.ToParsableString() });
            }

            return removed;
        });

    public async Task<MembershipTableData> ReadRow(SiloAddress key) => await ReadAsync(" WHERE address = @address", key.ToParsableString());

    public async Task<MembershipTableData> ReadAll() => await ReadAsync("", null);

    public Task<bool> InsertRow(MembershipEntry entry, TableVersion tableVersion) => ChangeAsync(nameof(InsertRow), entry, null, tableVersion);

    public Task<bool> UpdateRow(MembershipEntry entry, string etag, TableVersion tableVersion) => ChangeAsync(nameof(UpdateRow), entry, etag, tableVersion);

    public Task UpdateIAmAlive(MembershipEntry entry) => TransactAsync(
        nameof(UpdateIAmAlive),
        transaction => transaction.ExecuteAsync(
            "UPDATE silos SET alive_ms = @alive WHERE address = @address", new { alive = SiloEntry.AliveMs(entry), address = entry.SiloAddress.ToParsableString() }));

    /// <param name="operation">Names it for the tests of faults.</param>
    /// <param name="entry">The new row.</param>
    /// <param name="etag">Of the row that it replaces; null: there must be none.</param>
    /// <param name="to">The version that the list becomes, with the etag of the one it was made from.</param>
    /// <returns>False: list or row are not as they were read.</returns>
    private Task<bool> ChangeAsync(string operation, MembershipEntry entry, string? etag, TableVersion to) => TransactAsync(
        operation,
        async transaction =>
        {
            var version = await transaction.ValueAsync<long>($"SELECT version FROM silo_list WHERE id = 1 {database.LockAlone}");
            var address = entry.SiloAddress.ToParsableString();
            var row = (await transaction.RowsAsync<Row>(Select + " WHERE address = @address", new { address })).SingleOrDefault();
            var written = SiloEntry.Write(entry);
            if (transaction.IsRetry && version == to.Version && row?.Entry == written)
                return true;
            if (Text(version) != to.VersionEtag || (row is null ? null : Text(row.Etag)) != etag)
                return false;
            await transaction.ExecuteAsync("UPDATE silo_list SET version = @next WHERE id = 1", new { next = (long)to.Version });
            await transaction.ExecuteAsync(
                "INSERT INTO silos VALUES (@address, @next, @written, @alive) ON CONFLICT (address) DO UPDATE SET etag = @next, entry = @written, alive_ms = @alive",
                new { address, next = (row?.Etag ?? 0) + 1, written, alive = SiloEntry.AliveMs(entry) });
            return true;
        });

    private async Task<MembershipTableData> ReadAsync(string where, string? address) => await TransactAsync(
        nameof(ReadAll),
        async transaction =>
        {
            var version = await transaction.ValueAsync<long>($"SELECT version FROM silo_list WHERE id = 1 {database.LockShared}");
            var rows = await transaction.RowsAsync<Row>(Select + where, new { address });
            return new MembershipTableData(
                [.. rows.Select(r => Tuple.Create(SiloEntry.Read(r.Entry, r.AliveMs), Text(r.Etag)))],
                new TableVersion((int)version, Text(version)));
        });

    private Task<T> TransactAsync<T>(string operation, Func<StoreTransaction, Task<T>> work) => database.TransactAsync(operation, work, CancellationToken.None);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
