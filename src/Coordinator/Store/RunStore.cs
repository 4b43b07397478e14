using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using AdderNet.Coordinator.RunLogic;

namespace AdderNet.Coordinator.Store;

/// <summary>
/// The store in a relational database. Work that a database runs again after a broken connection may have been committed
/// the first time: every write here leaves the same rows when it is made twice.
/// </summary>
internal sealed class RunStore(IStoreDatabase database, string cluster) : IRunStore
{
    private readonly StoreSchema schema = new(database);
    private long token;
    private long writes;

    public string Name => database.Name;

    public async Task<string?> AcquireAsync(string owner, TimeSpan duration, Func<string, bool> isGone, CancellationToken cancellation)
    {
        var tried = 0L;
        var holder = await database.TransactAsync<string?>(
            nameof(AcquireAsync),
            async transaction =>
            {
                if (database.LockStore is { } alone)
                    await transaction.ExecuteAsync(alone).ConfigureAwait(false);
                var version = await schema.FindAsync(transaction).ConfigureAwait(false);
                if (version > 1)
                    await RequireClusterAsync(transaction).ConfigureAwait(false);
                var row = version == 0 ? null : (await transaction.RowsAsync<LeaseRow>(LeaseRow.Select(database.Now) + database.LockAlone).ConfigureAwait(false)).SingleOrDefault();
                var held = row?.ToLease();
                var isOurs = transaction.IsRetry && held is not null && held.Token == tried && held.Owner == owner;
                if (!isOurs && !StoreRules.IsFree(held, row?.NowMs ?? 0, isGone))
                    return held!.Owner;
                await schema.UpgradeAsync(transaction, version).ConfigureAwait(false);
                await transaction.ExecuteAsync("INSERT INTO store_identity VALUES (1, @cluster) ON CONFLICT (id) DO NOTHING", new { cluster }).ConfigureAwait(false);
                tried = StoreRules.NextToken(held);
                await transaction.ExecuteAsync(
                    $"INSERT INTO coordinator_lease VALUES (1, @tried, @owner, {database.Now} + @milliseconds) ON CONFLICT (id) DO UPDATE SET token = @tried, owner = @owner, expires_ms = {database.Now} + @milliseconds",
                    new { tried, owner, milliseconds = (long)duration.TotalMilliseconds }).ConfigureAwait(false);
                return null;
            },
            cancellation).ConfigureAwait(false);
        if (holder is null)
            token = tried;
        return holder;
    }

    public Task RenewAsync(TimeSpan duration, CancellationToken cancellation) => database.TransactAsync(
        nameof(RenewAsync),
        async transaction =>
        {
            var renewed = await transaction.ExecuteAsync(
                $"UPDATE coordinator_lease SET expires_ms = {database.Now} + @milliseconds WHERE id = 1 AND token = @token",
                new { token, milliseconds = (long)duration.TotalMilliseconds }).ConfigureAwait(false);
            if (renewed == 0)
                StoreRules.RequireHolder(await transaction.ValueAsync<long?>("SELECT token FROM coordinator_lease WHERE id = 1").ConfigureAwait(false), token, Name);
            return renewed;
        },
        cancellation);

    public Task ReleaseAsync(CancellationToken cancellation) => database.TransactAsync(
        nameof(ReleaseAsync),
        transaction => transaction.ExecuteAsync("UPDATE coordinator_lease SET owner = '', expires_ms = 0 WHERE id = 1 AND token = @token", new { token }),
        cancellation);

    public Task<StoredRun> CreateRunAsync(NewRun run, CancellationToken cancellation) => FencedAsync(
        async (transaction, key) =>
        {
            if (transaction.IsRetry && (await transaction.RowsAsync<RunRow>(RunRow.Select + " WHERE output = @Output", new { run.Output }).ConfigureAwait(false)) is [var made])
                return made.ToRun();
            var number = await transaction.ValueAsync<long>(
                $$"""
                INSERT INTO runs (description, initial_weights, expected_workers, output, state, reason, step, training_seconds, totals, created_ms)
                VALUES (@Description, @InitialWeights, @ExpectedWorkers, @Output, 'waiting', 'submitted', 0, 0, '{}', {{database.Now}}) RETURNING number
                """,
                new { run.Description, run.InitialWeights, run.ExpectedWorkers, run.Output }).ConfigureAwait(false);
            var id = string.Create(CultureInfo.InvariantCulture, $"{run.NameStem}-{number}");
            await transaction.ExecuteAsync("UPDATE runs SET id = @id WHERE number = @number", new { id, number }).ConfigureAwait(false);
            await AddAsync(transaction, key, id, "submitted", 0, $"submitted, output {run.Output}").ConfigureAwait(false);
            return await ReadRunAsync(id, transaction).ConfigureAwait(false);
        },
        cancellation);

    public Task<StoredRun> ResubmitRunAsync(string runId, NewRun run, CancellationToken cancellation) => FencedAsync(
        async (transaction, key) =>
        {
            var before = await ReadRunAsync(runId, transaction).ConfigureAwait(false);
            await transaction.ExecuteAsync(
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
                    facts = before.Facts is null ? null : JsonSerializer.Serialize(before.Facts with { Build = "" }),
                }).ConfigureAwait(false);
            await AddAsync(transaction, key, runId, "submitted", before.Step, "submitted again").ConfigureAwait(false);
            return await ReadRunAsync(runId, transaction).ConfigureAwait(false);
        },
        cancellation);

    public Task<IReadOnlyList<StoredRun>> ListRunsAsync(CancellationToken cancellation) => database.TransactAsync<IReadOnlyList<StoredRun>>(
        nameof(ListRunsAsync),
        async transaction => [.. (await transaction.RowsAsync<RunRow>(RunRow.Select + " ORDER BY number").ConfigureAwait(false)).Select(r => r.ToRun())],
        cancellation);

    public Task<RunRecords> ReadRecordsAsync(string runId, CancellationToken cancellation) => database.TransactAsync(
        nameof(ReadRecordsAsync),
        async transaction => new RunRecords(
            [.. (await transaction.RowsAsync<GenerationRow>(GenerationRow.Select, new { runId }).ConfigureAwait(false)).Select(r => r.ToRecord())],
            [.. (await transaction.RowsAsync<CheckpointRow>(CheckpointRow.Select, new { runId }).ConfigureAwait(false)).Select(r => r.ToRecord())],
            [.. (await transaction.RowsAsync<EvaluationRow>(EvaluationRow.Select, new { runId }).ConfigureAwait(false)).Select(r => r.ToRecord())],
            JsonSerializer.Deserialize<ImmutableDictionary<string, WorkerTotals>>(
                await transaction.ValueAsync<string>("SELECT totals FROM runs WHERE id = @runId", new { runId }).ConfigureAwait(false) ?? "{}")!),
        cancellation);

    public Task<IReadOnlyList<HistoryEntry>> ReadHistoryAsync(string runId, CancellationToken cancellation) => database.TransactAsync<IReadOnlyList<HistoryEntry>>(
        nameof(ReadHistoryAsync),
        async transaction => [.. (await transaction.RowsAsync<HistoryRow>(HistoryRow.Select, new { runId }).ConfigureAwait(false)).Select(r => r.ToEntry())],
        cancellation);

    public Task RecordFactsAsync(string runId, RunFacts facts, CancellationToken cancellation) => FencedAsync(
        (transaction, _) => transaction.ExecuteAsync(
            "UPDATE runs SET identity = @Identity, manifest_hash = @ManifestHash, facts = @json WHERE id = @runId",
            new { facts.Identity, facts.ManifestHash, json = JsonSerializer.Serialize(facts), runId }),
        cancellation);

    public Task<bool> TryMakeGenerationAsync(
        string runId, long number, ImmutableArray<GenerationMember> members, long baseStep, string reason, CancellationToken cancellation) =>
        FencedAsync(
            async (transaction, key) =>
            {
                var highest = (await transaction.RowsAsync<GenerationRow>(GenerationRow.SelectHighest, new { runId }).ConfigureAwait(false)).SingleOrDefault();
                if (transaction.IsRetry && highest is not null && highest.Number == number && highest.FencingToken == token)
                    return true;
                if (!StoreRules.MayMake(highest?.Number, number))
                    return false;
                await transaction.ExecuteAsync(
                    $"INSERT INTO generations VALUES (@runId, @number, @token, @members, @baseStep, @reason, {database.Now})",
                    new { runId, number, token, members = MemberJson.Write(members), baseStep, reason }).ConfigureAwait(false);
                await transaction.ExecuteAsync("UPDATE runs SET state = 'training', reason = @reason WHERE id = @runId", new { runId, reason }).ConfigureAwait(false);
                var who = string.Join(", ", members.Select(m => $"{m.WorkerId} {m.Range.First}-{m.Range.End}"));
                await AddAsync(transaction, key, runId, "generation", baseStep, $"generation {number} from step {baseStep}: {reason}; members (shards, end exclusive) {who}").ConfigureAwait(false);
                return true;
            },
            cancellation);

    public Task RecordEvaluationAsync(string runId, EvaluationRecord evaluation, CancellationToken cancellation) => FencedAsync(
        async (transaction, key) =>
        {
            await transaction.ExecuteAsync(
                """
                INSERT INTO evaluations VALUES (@runId, @Step, @Samples, @Top1Hits, @Top5Hits, @LossSum)
                ON CONFLICT (run_id, step) DO UPDATE SET samples = @Samples, top1 = @Top1Hits, top5 = @Top5Hits, loss_sum = @LossSum
                """,
                new { runId, evaluation.Step, evaluation.Samples, evaluation.Top1Hits, evaluation.Top5Hits, evaluation.LossSum }).ConfigureAwait(false);
            return await AddAsync(
                transaction, key, runId, "evaluation", evaluation.Step,
                string.Create(CultureInfo.InvariantCulture, $"evaluated {evaluation.Samples} samples: top-1 {evaluation.Top1}, top-5 {evaluation.Top5}, loss {evaluation.Loss}")).ConfigureAwait(false);
        },
        cancellation);

    public Task RecordCheckpointAsync(string runId, CheckpointRecord checkpoint, CancellationToken cancellation) => FencedAsync(
        async (transaction, key) =>
        {
            await transaction.ExecuteAsync(
                """
                INSERT INTO checkpoints VALUES (@runId, @File, @Step, @kind, @Sha256, @Bytes, @WeightsHash, @voted)
                ON CONFLICT (run_id, file) DO UPDATE SET step = @Step, kind = @kind, sha256 = @Sha256, bytes = @Bytes, weights_hash = @WeightsHash, voted_hash = @voted
                """,
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
                }).ConfigureAwait(false);
            return await AddAsync(
                transaction, key, runId, "checkpoint", checkpoint.Step,
                $"{checkpoint.File} ({StoredNames.Of(checkpoint.Kind)}), {checkpoint.Bytes} bytes, sha256 {checkpoint.Sha256}, weights hash {checkpoint.WeightsHash}").ConfigureAwait(false);
        },
        cancellation);

    public Task ForgetCheckpointAsync(string runId, string file, CancellationToken cancellation) => FencedAsync(
        (transaction, _) => transaction.ExecuteAsync("DELETE FROM checkpoints WHERE run_id = @runId AND file = @file", new { runId, file }),
        cancellation);

    public Task RecordProgressAsync(string runId, RecordProgress progress, CancellationToken cancellation) => FencedAsync(
        async (transaction, key) =>
        {
            await transaction.ExecuteAsync(
                "UPDATE runs SET state = @state, reason = @Why, step = @Step, training_seconds = @seconds, totals = @totals WHERE id = @runId",
                new
                {
                    state = StoredNames.Of(progress.Condition),
                    progress.Why,
                    progress.Step,
                    seconds = progress.TrainingTime.TotalSeconds,
                    totals = JsonSerializer.Serialize(progress.Totals),
                    runId,
                }).ConfigureAwait(false);
            return progress.Condition is RunCondition.Waiting or RunCondition.Training or RunCondition.Evaluating or RunCondition.Checkpointing
                ? 0
                : await AddAsync(transaction, key, runId, StoredNames.Of(progress.Condition), progress.Step, progress.Why).ConfigureAwait(false);
        },
        cancellation);

    public Task CutHistoryAsync(string runId, long step, CancellationToken cancellation) => FencedAsync(
        async (transaction, key) =>
        {
            var cut = await transaction.ExecuteAsync("DELETE FROM evaluations WHERE run_id = @runId AND step > @step", new { runId, step }).ConfigureAwait(false)
                + await transaction.ExecuteAsync("DELETE FROM checkpoints WHERE run_id = @runId AND step > @step", new { runId, step }).ConfigureAwait(false);
            return cut == 0 ? 0 : await AddAsync(transaction, key, runId, "cut", step, $"{cut} evaluation(s) and checkpoint(s) beyond step {step} were forgotten").ConfigureAwait(false);
        },
        cancellation);

    public Task AddHistoryAsync(string runId, string kind, long step, string text, CancellationToken cancellation) => FencedAsync(
        (transaction, key) => AddAsync(transaction, key, runId, kind, step, text), cancellation);

    public ValueTask DisposeAsync() => database.DisposeAsync();

    private static async Task<StoredRun> ReadRunAsync(string id, StoreTransaction transaction) =>
        (await transaction.RowsAsync<RunRow>(RunRow.Select + " WHERE id = @id", new { id }).ConfigureAwait(false)).Single().ToRun();

    /// <summary>A write that only the holder of the store may make; its key is the same each time it is tried.</summary>
    private Task<T> FencedAsync<T>(Func<StoreTransaction, string, Task<T>> write, CancellationToken cancellation, [CallerMemberName] string operation = "")
    {
        var key = string.Create(CultureInfo.InvariantCulture, $"{token}-{Interlocked.Increment(ref writes)}");
        return database.TransactAsync(
            operation,
            async transaction =>
            {
                var highest = await transaction.ValueAsync<long?>($"SELECT token FROM coordinator_lease WHERE id = 1 {database.LockShared}").ConfigureAwait(false);
                StoreRules.RequireHolder(highest, token, Name);
                return await write(transaction, key).ConfigureAwait(false);
            },
            cancellation);
    }

    private Task<int> AddAsync(StoreTransaction transaction, string key, string runId, string kind, long step, string text) => transaction.ExecuteAsync(
        $"INSERT INTO history (run_id, at_ms, kind, text, step, write_key) VALUES (@runId, {database.Now}, @kind, @text, @step, @key) ON CONFLICT (write_key) DO NOTHING",
        new { runId, kind, text, step, key });

    private async Task RequireClusterAsync(StoreTransaction transaction)
    {
        var owner = await transaction.ValueAsync<string>("SELECT cluster FROM store_identity WHERE id = 1").ConfigureAwait(false);
        if (owner is not null && owner != cluster)
            throw new StoreException($"store {Name} belongs to cluster '{owner}', this coordinator to '{cluster}': start it with --cluster {owner}, or name another store");
    }
}
