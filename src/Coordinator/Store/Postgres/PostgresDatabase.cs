using Npgsql;
using Polly;
using Polly.Retry;

namespace AdderNet.Coordinator.Store.Postgres;

/// <summary>
/// A PostgreSQL database. Leases are measured by its clock, never by that of a host. A server that goes away for a while
/// (a restart, a failover) delays what is written and is waited for, up to a bound.
/// </summary>
internal sealed class PostgresDatabase : IStoreDatabase
{
    /// <summary>So long a server that was reached before is waited for.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly ResiliencePropertyKey<long> Began = new("began");

    private readonly NpgsqlDataSource source;
    private readonly TimeProvider time;
    private readonly Action<StorePoint>? watch;
    private readonly ResiliencePipeline retry;
    private volatile bool wasReached;

    private PostgresDatabase(NpgsqlConnectionStringBuilder connection, TimeProvider time, Action<StorePoint>? watch)
    {
        source = NpgsqlDataSource.Create(connection);
        this.time = time;
        this.watch = watch;
        Name = PostgresAddress.Describe(connection);
        retry = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions
            {
                MaxRetryAttempts = int.MaxValue,
                Delay = TimeSpan.FromMilliseconds(50),
                MaxDelay = TimeSpan.FromSeconds(1),
                BackoffType = DelayBackoffType.Exponential,
                ShouldHandle = attempt => ValueTask.FromResult(
                    PostgresFailure.IsPassing(attempt.Outcome.Exception, wasReached)
                    && time.GetElapsedTime(attempt.Context.Properties.GetValue(Began, 0)) < Patience),
            })
            .Build();
    }

    public string Name { get; }

    public string Now => "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

    public string LockShared => "FOR SHARE";

    public string LockAlone => "FOR UPDATE";

    /// <summary>Any number serves, as long as it stays the same.</summary>
    public string? LockStore => "SELECT pg_advisory_xact_lock(191213200)";

    public string CountTables => "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = @table";

    public IReadOnlyList<string> FirstTables => PostgresTables.First;

    /// <summary>Connects no sooner than the first transaction.</summary>
    /// <exception cref="StoreException">The connection string is wrong.</exception>
    public static PostgresDatabase Open(string connection, TimeProvider time, Action<StorePoint>? watch) =>
        new(PostgresAddress.Parse(connection), time, watch);

    public async Task<T> TransactAsync<T>(string operation, Func<StoreTransaction, Task<T>> work, CancellationToken cancellation)
    {
        var context = ResilienceContextPool.Shared.Get(operation, cancellation);
        context.Properties.Set(Began, time.GetTimestamp());
        var isRetry = false;
        try
        {
            return await retry.ExecuteAsync(
                async call =>
                {
                    var again = isRetry;
                    isRetry = true;
                    return await OnceAsync(operation, work, again, call.CancellationToken).ConfigureAwait(false);
                },
                context).ConfigureAwait(false);
        }
        catch (Exception e) when (PostgresFailure.Explain(e, Name, wasReached) is { } why)
        {
            throw new StoreException(why, e);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    public ValueTask DisposeAsync() => source.DisposeAsync();

    private async Task<T> OnceAsync<T>(string operation, Func<StoreTransaction, Task<T>> work, bool isRetry, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation).ConfigureAwait(false);
        wasReached = true;
        await using var transaction = await connection.BeginTransactionAsync(cancellation).ConfigureAwait(false);
        var watched = new StoreTransaction(transaction, operation, isRetry, watch, cancellation);
        var result = await work(watched).ConfigureAwait(false);
        await watched.CommitAsync().ConfigureAwait(false);
        return result;
    }
}
