namespace AdderNet.Coordinator.Store.Sqlite;

/// <summary>Schema version 1 as SQLite spells it.</summary>
internal static class SqliteTables
{
    public static IReadOnlyList<string> First { get; } =
    [
        "CREATE TABLE schema_version (version INTEGER NOT NULL)",
        "CREATE TABLE coordinator_lease (id INTEGER PRIMARY KEY CHECK (id = 1), token INTEGER NOT NULL, owner TEXT NOT NULL, expires_ms INTEGER NOT NULL)",
        """
        CREATE TABLE runs (
            number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, description TEXT NOT NULL, initial_weights TEXT NOT NULL,
            expected_workers INTEGER NOT NULL, output TEXT NOT NULL UNIQUE, state TEXT NOT NULL, reason TEXT NOT NULL,
            step INTEGER NOT NULL, identity TEXT, manifest_hash TEXT, facts TEXT, training_seconds REAL NOT NULL,
            totals TEXT NOT NULL, created_ms INTEGER NOT NULL)
        """,
        """
        CREATE TABLE generations (
            run_id TEXT NOT NULL, number INTEGER NOT NULL, fencing_token INTEGER NOT NULL, members TEXT NOT NULL,
            base_step INTEGER NOT NULL, reason TEXT NOT NULL, made_ms INTEGER NOT NULL, PRIMARY KEY (run_id, number))
        """,
        """
        CREATE TABLE evaluations (
            run_id TEXT NOT NULL, step INTEGER NOT NULL, samples INTEGER NOT NULL, top1 INTEGER NOT NULL, top5 INTEGER NOT NULL,
            loss_sum REAL NOT NULL, PRIMARY KEY (run_id, step))
        """,
        """
        CREATE TABLE checkpoints (
            run_id TEXT NOT NULL, file TEXT NOT NULL, step INTEGER NOT NULL, kind TEXT NOT NULL, sha256 TEXT NOT NULL,
            bytes INTEGER NOT NULL, weights_hash TEXT NOT NULL, voted_hash TEXT NOT NULL, PRIMARY KEY (run_id, file))
        """,
        """
        CREATE TABLE history (
            number INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, at_ms INTEGER NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL)
        """,
        "CREATE INDEX history_of_run ON history (run_id, number)",
    ];
}
