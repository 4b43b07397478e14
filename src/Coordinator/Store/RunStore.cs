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
internal sealed class RunStore : IRunStore
{
    private readonly IStoreDatabase database;
    private readonly string cluster;
    private readonly StoreSchema schema;
    private readonly LeaseRows lease;
    private readonly LeaseRows? store;
    private readonly string writer;
    private long writes;

    /// <summary>The store of a coordinator that drives all its runs.</summary>
    public RunStore(IStoreDatabase database, string cluster)
        : this(database, cluster, new LeaseRows(database, null), null, "")
    {
    }

    private RunStore(IStoreDatabase database, string cluster, LeaseRows lease, LeaseRows? store, string writer)
    {
        (this.database, this.cluster, this.lease, this.store, this.writer) = (database, cluster, lease, store, writer);
        schema = new StoreSchema(database);
    }

    public string Name => database.Name;

    /// <summary>
    /// The same store for who drives one run of it: beside the store's lease, which this one must hold, the run has a lease of
    /// its own, and what is written is written under both.
    /// </summary>
    public RunStore Of(string runId) => new(database, cluster, new LeaseRows(database, runId), lease, runId + " ");

    public async Task<string?> AcquireAsync(LeaseOwner owner, TimeSpan duration, Func<string, bool> isGone, CancellationToken cancellation)
    {
        var tried = 0L;
        var holder = await database.TransactAsync<string?>(
            nameof(AcquireAsync),
            async transaction =>
            {
                if (database.LockStore is { } alone)
                    await transaction.ExecuteAsync(alone).ConfigureAwait(false);
                var version = await PrepareAsync(transaction).ConfigureAwait(false);
                var (held, nowMs) = version == 0 ? default : await lease.ReadAsync(transaction).ConfigureAwait(false);
                var isOurs = transaction.IsRetry && held is not null && held.Token == tried && held.Owner == owner.Name;
                var joins = StoreRules.Joins(held, owner, nowMs) && version == StoreSchema.Version;
                if (!isOurs && !joins && !StoreRules.IsFree(held, nowMs, isGone))
                    return held!.Owner;
                if (store is null)
                    await UpgradeAsync(transaction, version).ConfigureAwait(false);
                tried = joins ? held!.Token : StoreRules.NextToken(held);
                await lease.WriteAsync(transaction, tried, owner.Name, duration).ConfigureAwait(false);
                return null;
            },
            cancellation).ConfigureAwait(false);
        if (holder is null)
            lease.Token = tried;
        return holder;
    }

    public Task RenewAsync(TimeSpan duration, CancellationToken cancellation) => database.TransactAsync(
        nameof(RenewAsync),
        async transaction =>
        {
            if (store is not null)
                await store.RequireAsync(transaction).ConfigureAwait(false);
            await lease.RenewAsync(transaction, duration).ConfigureAwait(false);
            return true;
        },
        cancellation);

    public Task ReleaseAsync(CancellationToken cancellation) => database.TransactAsync(nameof(ReleaseAsync), lease.ReleaseAsync, cancellation);

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
                if (transaction.IsRetry && highest is not null && highest.Number == number && highest.FencingToken == lease.Token)
                    return true;
                if (!StoreRules.MayMake(highest?.Number, number))
                    return false;
                await transaction.ExecuteAsync(
                    $"INSERT INTO generations VALUES (@runId, @number, @token, @members, @baseStep, @reason, {database.Now})",
                    new { runId, number, token = lease.Token, members = MemberJson.Write(members), baseStep, reason }).ConfigureAwait(false);
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

    public ValueTask DisposeAsync() => store is null ? database.DisposeAsync() : default;

    private static async Task<StoredRun> ReadRunAsync(string id, StoreTransaction transaction) =>
        (await transaction.RowsAsync<RunRow>(RunRow.Select + " WHERE id = @id", new { id }).ConfigureAwait(false)).Single().ToRun();

    /// <summary>A write that only the holder of the store may make; its key is the same each time it is tried.</summary>
    private Task<T> FencedAsync<T>(Func<StoreTransaction, string, Task<T>> write, CancellationToken cancellation, [CallerMemberName] string operation = "")
    {
        var key = string.Create(CultureInfo.InvariantCulture, $"{writer}{lease.Token}-{Interlocked.Increment(ref writes)}");
        return database.TransactAsync(
            operation,
            async transaction =>
            {
                if (store is not null)
                    await store.RequireAsync(transaction).ConfigureAwait(false);
                await lease.RequireAsync(transaction).ConfigureAwait(false);
                return await write(transaction, key).ConfigureAwait(false);
            },
            cancellation);
    }

    private Task<int> AddAsync(StoreTransaction transaction, string key, string runId, string kind, long step, string text) => transaction.ExecuteAsync(
        $"INSERT INTO history (run_id, at_ms, kind, text, step, write_key) VALUES (@runId, {database.Now}, @kind, @text, @step, @key) ON CONFLICT (write_key) DO NOTHING",
        new { runId, kind, text, step, key });

    /// <summary>Finds the schema's version, and looks whose the store is; a run's lease is only taken by who holds the store.</summary>
    private async Task<long> PrepareAsync(StoreTransaction transaction)
    {
        if (store is not null)
        {
            await store.RequireAsync(transaction).ConfigureAwait(false);
            return StoreSchema.Version;
        }

        var version = await schema.FindAsync(transaction).ConfigureAwait(false);
        if (version > 1)
            await RequireClusterAsync(transaction).ConfigureAwait(false);
        return version;
    }

    private async Task UpgradeAsync(StoreTransaction transaction, long version)
    {
        await schema.UpgradeAsync(transaction, version).ConfigureAwait(false);
        await transaction.ExecuteAsync("INSERT INTO store_identity VALUES (1, @cluster) ON CONFLICT (id) DO NOTHING", new { cluster }).ConfigureAwait(false);
    }

    private async Task RequireClusterAsync(StoreTransaction transaction)
    {
        var owner = await transaction.ValueAsync<string>("SELECT cluster FROM store_identity WHERE id = 1").ConfigureAwait(false);
        if (owner is not null && owner != cluster)
            throw new StoreException($"store {Name} belongs to cluster '{owner}', this coordinator to '{cluster}': start it with --cluster {owner}, or name another store");
    }
}
