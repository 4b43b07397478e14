using System.Globalization;
using System.Text.Json;
using AdderNet.Coordinator.Store;
using Orleans.Storage;

namespace AdderNet.Coordinator.Silos.Storage;

/// <summary>
/// States of grains as JSON in the store's database, in a table of the store's own schema. A state is written only over the
/// one that its writer read: of two activations of one grain, the later one's write makes the earlier one's fail.
/// </summary>
internal sealed class StoreGrainStorage(IStoreDatabase database) : IGrainStorage
{
    private sealed class Row
    {
        public long Etag { get; init; }

        public string State { get; init; } = "";
    }

    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var row = await database.TransactAsync(nameof(ReadStateAsync), transaction => ReadAsync(transaction, stateName, grainId), CancellationToken.None);
        grainState.RecordExists = row is not null;
        grainState.ETag = row is null ? null! : Text(row.Etag);
        grainState.State = row is null ? Activator.CreateInstance<T>() : JsonSerializer.Deserialize<T>(row.State)!;
    }

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var before = grainState.ETag is { } etag ? long.Parse(etag, CultureInfo.InvariantCulture) : 0;
        var state = JsonSerializer.Serialize(grainState.State);
        var key = new { grain = grainId.ToString(), name = stateName, before, next = before + 1, state };
        var found = await database.TransactAsync(
            nameof(WriteStateAsync),
            async transaction =>
            {
                var written = before == 0
                    ? await transaction.ExecuteAsync("INSERT INTO grain_states VALUES (@grain, @name, @next, @state) ON CONFLICT (grain, name) DO NOTHING", key)
                    : await transaction.ExecuteAsync("UPDATE grain_states SET etag = @next, state = @state WHERE grain = @grain AND name = @name AND etag = @before", key);
                if (written == 1)
                    return before + 1;
                var row = await ReadAsync(transaction, stateName, grainId);
                // It may have been written when it was tried before.
                return transaction.IsRetry && row?.Etag == before + 1 && row.State == state ? before + 1 : -(row?.Etag ?? 0);
            },
            CancellationToken.None);
        if (found != before + 1)
            throw new InconsistentStateException($"the state of {grainId} was written by another activation", Text(-found), Text(before));
        (grainState.ETag, grainState.RecordExists) = (Text(before + 1), true);
    }

    public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        await database.TransactAsync(
            nameof(ClearStateAsync),
            transaction => transaction.ExecuteAsync("DELETE FROM grain_states WHERE grain = @grain AND name = @name", new { grain = grainId.ToString(), name = stateName }),
            CancellationToken.None);
        (grainState.ETag, grainState.RecordExists, grainState.State) = (null!, false, Activator.CreateInstance<T>());
    }

    private static async Task<Row?> ReadAsync(StoreTransaction transaction, string stateName, GrainId grainId) =>
        (await transaction.RowsAsync<Row>(
            "SELECT etag AS Etag, state AS State FROM grain_states WHERE grain = @grain AND name = @name",
            new { grain = grainId.ToString(), name = stateName })).SingleOrDefault();

    private static string Text(long etag) => etag.ToString(CultureInfo.InvariantCulture);
}
