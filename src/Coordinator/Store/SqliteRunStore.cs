using System.Collections.Immutable;
using System.Text.Json;
using AdderNet.Coordinator.RunLogic;
using Dapper;
using Microsoft.Data.Sqlite;

namespace AdderNet.Coordinator.Store;

/// <summary>A store in one SQLite file, with write-ahead logging and full synchronisation: what a transaction wrote survives a power cut.</summary>
internal sealed class SqliteRunStore : IRunStore
{
    private readonly SqliteConnection connection;
    private readonly TimeProvider time;
    private readonly string file;
    private readonly SemaphoreSlim turn = new(1, 1);
    private long token;

    private SqliteRunStore(SqliteConnection connection, string file, TimeProvider time)
    {
        this.connection = connection;
        this.file = file;
        this.time = time;
    }

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Opens or creates the file.</summary>
    /// <exception cref="StoreException">It cannot be opened, is no database, or is of a newer build.</exception>
    public static SqliteRunStore Open(string file, TimeProvider time)
    {
        SqliteConnection? connection = null;
        try
        {
            if (Path.GetDirectoryName(Path.GetFullPath(file)) is { } directory)
                Directory.CreateDirectory(directory);
            connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Pooling = false }.ToString());
            connection.Open();
            connection.Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 10000;");
            SqliteSchema.Ensure(connection, file);
            return new SqliteRunStore(connection, file, time);
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            connection?.Dispose();
            throw new StoreException($"store {file} cannot be opened: {e.Message}", e);
        }
        catch
        {
            connection?.Dispose();
            throw;
        }
    }

    public Task<string?> AcquireAsync(string owner, TimeSpan duration, Func<string, bool> isGone, CancellationToken cancellation) =>
        InTransactionAsync<string?>(
            transaction =>
            {
                var held = connection.QuerySingleOrDefault<HeldLease>(
                    "SELECT token AS Token, owner AS Owner, expires_ms AS ExpiresMs FROM coordinator_lease WHERE id = 1", transaction: transaction);
                if (!StoreRules.IsFree(held, NowMs, isGone))
                    return held!.Owner;
                token = StoreRules.NextToken(held);
                connection.Execute(
                    "INSERT INTO coordinator_lease VALUES (1, @token, @owner, @expires) ON CONFLICT (id) DO UPDATE SET token = @token, owner = @owner, expires_ms = @expires",
                    new { token, owner, expires = NowMs + (long)duration.TotalMilliseconds }, transaction);
                return null;
            },
            cancellation);

    public Task RenewAsync(TimeSpan duration, CancellationToken cancellation) => FencedAsync(
        transaction => connection.Execute(
            "UPDATE coordinator_lease SET expires_ms = @expires WHERE id = 1",
            new { expires = NowMs + (long)duration.TotalMilliseconds }, transaction),
        cancellation);

    public Task ReleaseAsync(CancellationToken cancellation) => InTransactionAsync(
        transaction => connection.Execute(
            "UPDATE coordinator_lease SET owner = '', expires_ms = 0 WHERE id = 1 AND token = @token", new { token }, transaction),
        cancellation);

    public Task<StoredRun> CreateRunAsync(NewRun run, CancellationToken cancellation) => FencedAsync(
        transaction =>
        {
            var number = connection.ExecuteScalar<long>(
                """
                INSERT INTO runs (description, initial_weights, expected_workers, output, state, reason, step, training_seconds, totals, created_ms)
                VALUES (@Description, @InitialWeights, @ExpectedWorkers, @Output, 'waiting', 'submitted', 0, 0, '{}', @NowMs) RETURNING number
                """,
                new { run.Description, run.InitialWeights, run.ExpectedWorkers, run.Output, NowMs }, transaction);
            var id = $"{run.NameStem}-{number}";
            connection.Execute("UPDATE runs SET id = @id WHERE number = @number", new { id, number }, transaction);
            return ReadRun(id, transaction);
        },
        cancellation);

    public Task<StoredRun> ResubmitRunAsync(string runId, NewRun run, CancellationToken cancellation) => FencedAsync(
        transaction =>
        {
            var facts = ReadRun(runId, transaction).Facts;
            connection.Execute(
                """
                UPDATE runs SET description = @Description, initial_weights = @InitialWeights, expected_workers = @ExpectedWorkers,
                    state = 'waiting', reason = 'submitted again', facts = @facts WHERE id = @runId
                """,
                new
                {
                    run.Description,
                    run.InitialWeights,
                    run.ExpectedWorkers,
                    runId,
                    facts = facts is null ? null : JsonSerializer.Serialize(facts with { Build = "" }),
                },
                transaction);
            return ReadRun(runId, transaction);
        },
        cancellation);

    public Task<IReadOnlyList<StoredRun>> ListRunsAsync(CancellationToken cancellation) => InTransactionAsync<IReadOnlyList<StoredRun>>(
        transaction => [.. connection.Query<RunRow>(RunRow.Select + " ORDER BY number", transaction: transaction).Select(r => r.ToRun())],
        cancellation);

    public Task<RunRecords> ReadRecordsAsync(string runId, CancellationToken cancellation) => InTransactionAsync(
        transaction => new RunRecords(
            [.. connection.Query<GenerationRow>(GenerationRow.Select, new { runId }, transaction).Select(r => r.ToRecord())],
            [.. connection.Query<CheckpointRow>(CheckpointRow.Select, new { runId }, transaction).Select(r => r.ToRecord())],
            [.. connection.Query<EvaluationRow>(EvaluationRow.Select, new { runId }, transaction).Select(r => r.ToRecord())],
            JsonSerializer.Deserialize<ImmutableDictionary<string, WorkerTotals>>(
                connection.ExecuteScalar<string>("SELECT totals FROM runs WHERE id = @runId", new { runId }, transaction) ?? "{}")!),
        cancellation);

    public Task RecordFactsAsync(string runId, RunFacts facts, CancellationToken cancellation) => FencedAsync(
        transaction => connection.Execute(
            "UPDATE runs SET identity = @Identity, manifest_hash = @ManifestHash, facts = @json WHERE id = @runId",
            new { facts.Identity, facts.ManifestHash, json = JsonSerializer.Serialize(facts), runId }, transaction),
        cancellation);

    public Task<bool> TryMakeGenerationAsync(
        string runId, long number, ImmutableArray<GenerationMember> members, long baseStep, string reason, CancellationToken cancellation) =>
        FencedAsync(
            transaction =>
            {
                var highest = connection.ExecuteScalar<long?>(
                    "SELECT max(number) FROM generations WHERE run_id = @runId", new { runId }, transaction);
                if (!StoreRules.MayMake(highest, number))
                    return false;
                connection.Execute(
                    "INSERT INTO generations VALUES (@runId, @number, @token, @members, @baseStep, @reason, @NowMs)",
                    new { runId, number, token, members = MemberJson.Write(members), baseStep, reason, NowMs }, transaction);
                connection.Execute(
                    "UPDATE runs SET state = 'training', reason = @reason WHERE id = @runId", new { runId, reason }, transaction);
                return true;
            },
            cancellation);

    public Task RecordEvaluationAsync(string runId, EvaluationRecord evaluation, CancellationToken cancellation) => FencedAsync(
        transaction => connection.Execute(
            "INSERT OR REPLACE INTO evaluations VALUES (@runId, @Step, @Samples, @Top1Hits, @Top5Hits, @LossSum)",
            new { runId, evaluation.Step, evaluation.Samples, evaluation.Top1Hits, evaluation.Top5Hits, evaluation.LossSum }, transaction),
        cancellation);

    public Task RecordCheckpointAsync(string runId, CheckpointRecord checkpoint, CancellationToken cancellation) => FencedAsync(
        transaction => connection.Execute(
            "INSERT OR REPLACE INTO checkpoints VALUES (@runId, @File, @Step, @kind, @Sha256, @Bytes, @WeightsHash, @voted)",
            new
            {
                runId,
                checkpoint.File,
                checkpoint.Step,
                kind = StoredNames.Of(checkpoint.Kind),
                checkpoint.Sha256,
                checkpoint.Bytes,
                checkpoint.WeightsHash,
                voted = StoredNames.Hex(checkpoint.VotedHash),
            },
            transaction),
        cancellation);

    public Task ForgetCheckpointAsync(string runId, string file, CancellationToken cancellation) => FencedAsync(
        transaction => connection.Execute("DELETE FROM checkpoints WHERE run_id = @runId AND file = @file", new { runId, file }, transaction),
        cancellation);

    public Task RecordProgressAsync(string runId, RecordProgress progress, CancellationToken cancellation) => FencedAsync(
        transaction => connection.Execute(
            "UPDATE runs SET state = @state, reason = @Why, step = @Step, training_seconds = @seconds, totals = @totals WHERE id = @runId",
            new
            {
                state = StoredNames.Of(progress.Condition),
                progress.Why,
                progress.Step,
                seconds = progress.TrainingTime.TotalSeconds,
                totals = JsonSerializer.Serialize(progress.Totals),
                runId,
            },
            transaction),
        cancellation);

    public Task CutHistoryAsync(string runId, long step, CancellationToken cancellation) => FencedAsync(
        transaction => connection.Execute(
            "DELETE FROM evaluations WHERE run_id = @runId AND step > @step; DELETE FROM checkpoints WHERE run_id = @runId AND step > @step",
            new { runId, step }, transaction),
        cancellation);

    public Task AddHistoryAsync(string runId, string kind, string text, CancellationToken cancellation) => FencedAsync(
        transaction => connection.Execute(
            "INSERT INTO history (run_id, at_ms, kind, text) VALUES (@runId, @NowMs, @kind, @text)", new { runId, NowMs, kind, text }, transaction),
        cancellation);

    public async ValueTask DisposeAsync()
    {
        await connection.DisposeAsync().ConfigureAwait(false);
        turn.Dispose();
    }

    private StoredRun ReadRun(string id, SqliteTransaction transaction) =>
        connection.QuerySingle<RunRow>(RunRow.Select + " WHERE id = @id", new { id }, transaction).ToRun();

    /// <summary>A write that only the holder of the store may make.</summary>
    private Task<T> FencedAsync<T>(Func<SqliteTransaction, T> write, CancellationToken cancellation) => InTransactionAsync(
        transaction =>
        {
            var highest = connection.ExecuteScalar<long?>("SELECT token FROM coordinator_lease WHERE id = 1", transaction: transaction);
            StoreRules.RequireHolder(highest, token, file);
            return write(transaction);
        },
        cancellation);

    private async Task<T> InTransactionAsync<T>(Func<SqliteTransaction, T> work, CancellationToken cancellation)
    {
        await turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            using var transaction = connection.BeginTransaction(deferred: false);
            var result = work(transaction);
            transaction.Commit();
            return result;
        }
        catch (SqliteException e)
        {
            throw new StoreException($"store {file} cannot be read or written: {e.Message}", e);
        }
        finally
        {
            turn.Release();
        }
    }
}
