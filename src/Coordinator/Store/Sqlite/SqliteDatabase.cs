using Dapper;
using Microsoft.Data.Sqlite;

namespace AdderNet.Coordinator.Store.Sqlite;

/// <summary>One SQLite file, with write-ahead logging and full synchronisation: what a transaction wrote survives a power cut.</summary>
internal sealed class SqliteDatabase : IStoreDatabase
{
    private const string Clock = "coordinator_now_ms";
    private readonly SqliteConnection connection;
    private readonly Action<StorePoint>? watch;
    private readonly SemaphoreSlim turn = new(1, 1);

    private SqliteDatabase(SqliteConnection connection, string file, Action<StorePoint>? watch)
    {
        this.connection = connection;
        this.watch = watch;
        Name = file;
    }

    public string Name { get; }

    /// <summary>The file's machine is ours, and so is its clock: a function of the connection's.</summary>
    public string Now => $"{Clock}()";

    public string LockShared => "";

    public string LockAlone => "";

    public string? LockStore => null;

    public string CountTables => "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = @table";

    public IReadOnlyList<string> FirstTables => SqliteTables.First;

    /// <summary>Opens or creates the file.</summary>
    /// <exception cref="StoreException">It cannot be opened, or is no database.</exception>
    public static SqliteDatabase Open(string file, TimeProvider time, Action<StorePoint>? watch)
    {
        SqliteConnection? connection = null;
        try
        {
            if (Path.GetDirectoryName(Path.GetFullPath(file)) is { } directory)
                Directory.CreateDirectory(directory);
            connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Pooling = false }.ToString());
            connection.Open();
            connection.CreateFunction(Clock, () => time.GetUtcNow().ToUnixTimeMilliseconds());
            connection.Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 10000;");
            return new SqliteDatabase(connection, file, watch);
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            connection?.Dispose();
            throw new StoreException($"store {file} cannot be opened: {e.Message}", e);
        }
    }

    public async Task<T> TransactAsync<T>(string operation, Func<StoreTransaction, Task<T>> work, CancellationToken cancellation)
    {
        await turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            using var transaction = connection.BeginTransaction(deferred: false);
            var watched = new StoreTransaction(transaction, operation, isRetry: false, watch, cancellation);
            var result = await work(watched).ConfigureAwait(false);
            await watched.CommitAsync().ConfigureAwait(false);
            return result;
        }
        catch (SqliteException e)
        {
            throw new StoreException($"store {Name} cannot be read or written: {e.Message}", e);
        }
        finally
        {
            turn.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await connection.DisposeAsync().ConfigureAwait(false);
        turn.Dispose();
    }
}
