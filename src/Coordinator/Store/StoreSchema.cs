namespace AdderNet.Coordinator.Store;

/// <summary>
/// The tables' version: made on first use, upgraded in order, and refused when it is newer than this build. The tables
/// <c>schema_version</c> and <c>coordinator_lease</c> never change, so that every build can read whose the store is.
/// </summary>
internal sealed class StoreSchema(IStoreDatabase database)
{
    /// <summary>What leads from each version to the next: the first entry from 1 to 2. Version 3 came with silos.</summary>
    private static readonly string[][] Upgrades =
    [
        [
            "CREATE TABLE store_identity (id INTEGER PRIMARY KEY CHECK (id = 1), cluster TEXT NOT NULL)",
            "ALTER TABLE history ADD COLUMN step BIGINT NOT NULL DEFAULT 0",
            "ALTER TABLE history ADD COLUMN write_key TEXT",
            "CREATE UNIQUE INDEX history_writes ON history (write_key)",
        ],
        [
            "CREATE TABLE run_leases (run_id TEXT PRIMARY KEY, token BIGINT NOT NULL, owner TEXT NOT NULL, expires_ms BIGINT NOT NULL)",
            "CREATE TABLE grain_states (grain TEXT NOT NULL, name TEXT NOT NULL, etag BIGINT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (grain, name))",
            "CREATE TABLE silo_list (id INTEGER PRIMARY KEY CHECK (id = 1), version BIGINT NOT NULL)",
            "INSERT INTO silo_list VALUES (1, 0)",
            "CREATE TABLE silos (address TEXT PRIMARY KEY, etag BIGINT NOT NULL, entry TEXT NOT NULL, alive_ms BIGINT NOT NULL)",
        ],
    ];

    /// <summary>The version that this build reads and writes.</summary>
    public static long Version => Upgrades.Length + 1;

    /// <summary>The version that the database has; 0: it holds no store yet.</summary>
    /// <exception cref="StoreException">It is newer than this build.</exception>
    public async Task<long> FindAsync(StoreTransaction transaction)
    {
        if (await transaction.ValueAsync<long>(database.CountTables, new { table = "schema_version" }).ConfigureAwait(false) == 0)
            return 0;
        var found = await transaction.ValueAsync<long>("SELECT max(version) FROM schema_version").ConfigureAwait(false);
        return found <= Version
            ? found
            : throw new StoreException($"store {database.Name} has schema version {found}, this build knows versions up to {Version}: use the build that made it, or name another store, such as sqlite:other.db");
    }

    /// <summary>Brings the tables from version <paramref name="found"/> to <see cref="Version"/>, one after another.</summary>
    public async Task UpgradeAsync(StoreTransaction transaction, long found)
    {
        if (found == 0)
        {
            foreach (var statement in database.FirstTables)
                await transaction.ExecuteAsync(statement).ConfigureAwait(false);
            await transaction.ExecuteAsync("INSERT INTO schema_version VALUES (1)").ConfigureAwait(false);
            found = 1;
        }

        for (; found < Version; found++)
        {
            foreach (var statement in Upgrades[found - 1])
                await transaction.ExecuteAsync(statement).ConfigureAwait(false);
            await transaction.ExecuteAsync("UPDATE schema_version SET version = @next", new { next = found + 1 }).ConfigureAwait(false);
        }
    }
}
