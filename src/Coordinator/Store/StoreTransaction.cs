using System.Data.Common;
using Dapper;

namespace AdderNet.Coordinator.Store;

/// <summary>A place within a transaction: after its statement of this number, from 1, or after its commit.</summary>
internal readonly record struct StorePoint(string Operation, int Statement, bool Committed)
{
    public override string ToString() => Committed ? $"{Operation}, after its commit" : $"{Operation}, after statement {Statement}";
}

/// <summary>One transaction: every statement goes through here, so that each place between two of them can be watched.</summary>
internal sealed class StoreTransaction(
    DbTransaction transaction, string operation, bool isRetry, Action<StorePoint>? watch, CancellationToken cancellation)
{
    private int statements;

    /// <summary>The same work was tried before, and may have been committed without our hearing of it.</summary>
    public bool IsRetry { get; } = isRetry;

    /// <summary>Executes a statement and says how many rows it changed.</summary>
    public Task<int> ExecuteAsync(string sql, object? values = null) => PassAsync(transaction.Connection!.ExecuteAsync(Command(sql, values)));

    public Task<T?> ValueAsync<T>(string sql, object? values = null) => PassAsync(transaction.Connection!.ExecuteScalarAsync<T>(Command(sql, values)));

    public async Task<IReadOnlyList<T>> RowsAsync<T>(string sql, object? values = null) =>
        [.. await PassAsync(transaction.Connection!.QueryAsync<T>(Command(sql, values))).ConfigureAwait(false)];

    public async Task CommitAsync()
    {
        await transaction.CommitAsync(cancellation).ConfigureAwait(false);
        watch?.Invoke(new StorePoint(operation, statements, Committed: true));
    }

    private CommandDefinition Command(string sql, object? values) => new(sql, values, transaction, cancellationToken: cancellation);

    private async Task<T> PassAsync<T>(Task<T> statement)
    {
        var result = await statement.ConfigureAwait(false);
        watch?.Invoke(new StorePoint(operation, ++statements, Committed: false));
        return result;
    }
}
