namespace AdderNet.Coordinator.Store.Postgres;

/// <summary>Schema version 1 as PostgreSQL spells it.</summary>
internal static class PostgresTables
{
    public static IReadOnlyList<string> First { get; } =
    [
        "CREATE TABLE schema_version (version BIGINT NOT NULL)",
        "CREATE TABLE coordinator_lease (id INTEGER PRIMARY KEY CHECK (id = 1), token BIGINT NOT NULL, owner TEXT NOT NULL, expires_ms BIGINT NOT NULL)",
        """
        CREATE TABLE runs (
            number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id TEXT UNIQUE, description TEXT NOT NULL, initial_weights TEXT NOT NULL,
            expected_workers BIGINT NOT NULL, output TEXT NOT NULL UNIQUE, state TEXT NOT NULL, reason TEXT NOT NULL,
            step BIGINT NOT NULL, identity TEXT, manifest_hash TEXT, facts TEXT, training_seconds DOUBLE PRECISION NOT NULL,
            totals TEXT NOT NULL, created_ms BIGINT NOT NULL)
        """,
        """
        CREATE TABLE generations (
            run_id TEXT NOT NULL, number BIGINT NOT NULL, fencing_token BIGINT NOT NULL, members TEXT NOT NULL,
            base_step BIGINT NOT NULL, reason TEXT NOT NULL, made_ms BIGINT NOT NULL, PRIMARY KEY (run_id, number))
        """,
        """
        CREATE TABLE evaluations (
            run_id TEXT NOT NULL, step BIGINT NOT NULL, samples BIGINT NOT NULL, top1 BIGINT NOT NULL, top5 BIGINT NOT NULL,
            loss_sum DOUBLE PRECISION NOT NULL, PRIMARY KEY (run_id, step))
        """,
        """
        CREATE TABLE checkpoints (
            run_id TEXT NOT NULL, file TEXT NOT NULL, step BIGINT NOT NULL, kind TEXT NOT NULL, sha256 TEXT NOT NULL,
            bytes BIGINT NOT NULL, weights_hash TEXT NOT NULL, voted_hash TEXT NOT NULL, PRIMARY KEY (run_id, file))
        """,
        """
        CREATE TABLE history (
            number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, run_id TEXT NOT NULL, at_ms BIGINT NOT NULL, kind TEXT NOT NULL,
            text TEXT NOT NULL)
        """,
        "CREATE INDEX history_of_run ON history (run_id, number)",
    ];
}
