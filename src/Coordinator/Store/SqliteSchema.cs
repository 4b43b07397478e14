using Dapper;
using Microsoft.Data.Sqlite;

namespace AdderNet.Coordinator.Store;

/// <summary>The tables of a SQLite store and their version.</summary>
internal static class SqliteSchema
{
    /// <summary>Raised with every change of the tables.</summary>
    public const long Version = 1;

    private const string Tables = """
        CREATE TABLE schema_version (version INTEGER NOT NULL);
        CREATE TABLE coordinator_lease (
            id INTEGER PRIMARY KEY CHECK (id = 1), token INTEGER NOT NULL, owner TEXT NOT NULL, expires_ms INTEGER NOT NULL);
        CREATE TABLE runs (
            number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, description TEXT NOT NULL, initial_weights TEXT NOT NULL,
            expected_workers INTEGER NOT NULL, output TEXT NOT NULL UNIQUE, state TEXT NOT NULL, reason TEXT NOT NULL,
            step INTEGER NOT NULL, identity TEXT, manifest_hash TEXT, facts TEXT, training_seconds REAL NOT NULL,
            totals TEXT NOT NULL, created_ms INTEGER NOT NULL);
        CREATE TABLE generations (
            run_id TEXT NOT NULL, number INTEGER NOT NULL, fencing_token INTEGER NOT NULL, members TEXT NOT NULL,
            base_step INTEGER NOT NULL, reason TEXT NOT NULL, made_ms INTEGER NOT NULL, PRIMARY KEY (run_id, number));
        CREATE TABLE evaluations (
            run_id TEXT NOT NULL, step INTEGER NOT NULL, samples INTEGER NOT NULL, top1 INTEGER NOT NULL, top5 INTEGER NOT NULL,
            loss_sum REAL NOT NULL, PRIMARY KEY (run_id, step));
        CREATE TABLE checkpoints (
            run_id TEXT NOT NULL, file TEXT NOT NULL, step INTEGER NOT NULL, kind TEXT NOT NULL, sha256 TEXT NOT NULL,
            bytes INTEGER NOT NULL, weights_hash TEXT NOT NULL, voted_hash TEXT NOT NULL, PRIMARY KEY (run_id, file));
        CREATE TABLE history (
            number INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, at_ms INTEGER NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL);
        CREATE INDEX history_of_run ON history (run_id, number);
        """;

    /// <summary>Creates the tables on first use.</summary>
    /// <exception cref="StoreException">The file was made by a newer build.</exception>
    public static void Ensure(SqliteConnection connection, string file)
    {
        using var transaction = connection.BeginTransaction(deferred: false);
        var exists = connection.ExecuteScalar<long>(
            "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'", transaction: transaction) > 0;
        if (!exists)
        {
            connection.Execute(Tables, transaction: transaction);
            connection.Execute("INSERT INTO schema_version VALUES (@Version)", new { Version }, transaction);
        }

        var found = connection.ExecuteScalar<long>("SELECT max(version) FROM schema_version", transaction: transaction);
        if (found != Version)
            throw new StoreException($"store {file} has schema version {found}, this build knows version {Version}: use the build that made it, or another file such as sqlite:runs.db");
        transaction.Commit();
    }
}
