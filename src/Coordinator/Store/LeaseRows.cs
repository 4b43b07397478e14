namespace AdderNet.Coordinator.Store;

/// <summary>One lease as rows: of the whole store, or within it of one run. Remembers the fencing token that we hold it by.</summary>
/// <param name="database">Where it is.</param>
/// <param name="run">The run; null: the store.</param>
internal sealed class LeaseRows(IStoreDatabase database, string? run)
{
    private readonly string table = run is null ? "coordinator_lease" : "run_leases";
    private readonly string key = run is null ? "id" : "run_id";
    private readonly string value = run is null ? "1" : "@run";

    /// <summary>Ours; 0: we never held it.</summary>
    public long Token { get; set; }

    private string Name => run is null ? $"store {database.Name}" : $"run {run} of store {database.Name}";

    public async Task<(HeldLease? Held, long NowMs)> ReadAsync(StoreTransaction transaction)
    {
        var sql = $"SELECT token AS Token, owner AS Owner, expires_ms AS ExpiresMs, {database.Now} AS NowMs FROM {table} WHERE {key} = {value} {database.LockAlone}";
        var row = (await transaction.RowsAsync<LeaseRow>(sql, new { run }).ConfigureAwait(false)).SingleOrDefault();
        return (row is null ? null : new HeldLease(row.Token, row.Owner, row.ExpiresMs), row?.NowMs ?? 0);
    }

    public Task<int> WriteAsync(StoreTransaction transaction, long token, string owner, TimeSpan duration) => transaction.ExecuteAsync(
        $"INSERT INTO {table} VALUES ({value}, @token, @owner, {database.Now} + @milliseconds) ON CONFLICT ({key}) DO UPDATE SET token = @token, owner = @owner, expires_ms = {database.Now} + @milliseconds",
        new { run, token, owner, milliseconds = (long)duration.TotalMilliseconds });

    /// <summary>Makes it last longer, if it is still ours.</summary>
    /// <exception cref="FencingLostException">It is not.</exception>
    public async Task RenewAsync(StoreTransaction transaction, TimeSpan duration)
    {
        var renewed = await transaction.ExecuteAsync(
            $"UPDATE {table} SET expires_ms = {database.Now} + @milliseconds WHERE {key} = {value} AND token = @token",
            new { run, token = Token, milliseconds = (long)duration.TotalMilliseconds }).ConfigureAwait(false);
        if (renewed == 0)
            await RequireAsync(transaction).ConfigureAwait(false);
    }

    /// <summary>Gives it back, if it is still ours.</summary>
    public Task<int> ReleaseAsync(StoreTransaction transaction) =>
        transaction.ExecuteAsync($"UPDATE {table} SET owner = '', expires_ms = 0 WHERE {key} = {value} AND token = @token", new { run, token = Token });

    /// <summary>Lets nobody else take it before the transaction ends.</summary>
    /// <exception cref="FencingLostException">It is not ours.</exception>
    public async Task RequireAsync(StoreTransaction transaction)
    {
        var highest = await transaction.ValueAsync<long?>($"SELECT token FROM {table} WHERE {key} = {value} {database.LockShared}", new { run }).ConfigureAwait(false);
        StoreRules.RequireHolder(highest, Token, Name);
    }
}
