using AdderNet.Coordinator.Store;
using AdderNet.Coordinator.Store.Sqlite;
using Dapper;
using Microsoft.Data.Sqlite;

namespace AdderNet.Coordinator.Tests.Store;

/// <summary>Leases as tests take them.</summary>
internal static class TestLeases
{
    public static Task<string?> AcquireAsync(this IRunStore store, string owner, TimeSpan duration, Func<string, bool> isGone, CancellationToken cancellation) =>
        store.AcquireAsync(new LeaseOwner(owner, IsShared: false), duration, isGone, cancellation);
}

/// <summary>A place for a store, empty at first. Every behavioural test runs on each kind.</summary>
public abstract class TestStore : IAsyncDisposable
{
    /// <summary>As <c>--store</c> takes it.</summary>
    public abstract string Address { get; }

    /// <summary>Opens it as another coordinator would; takes no lease.</summary>
    internal virtual RunStore Open(string cluster = CoordinatorOptions.DefaultCluster) => StoreAddress.Open(Address, cluster, TimeProvider.System);

    /// <summary>Makes the store's clock go on.</summary>
    public abstract Task LetPassAsync(TimeSpan time);

    /// <summary>Executes SQL behind the coordinators' backs.</summary>
    public abstract Task ExecuteAsync(string sql);

    public abstract Task<string?> ValueAsync(string sql);

    /// <summary>Makes every UPDATE of a run's state fail as a full disk does.</summary>
    public abstract Task FillDiskAsync();

    /// <summary>Takes away all that the store holds, and the store itself.</summary>
    public abstract Task ForgetAsync();

    /// <summary>Makes the tables of schema version 1.</summary>
    public abstract Task MakeFirstVersionAsync();

    public abstract ValueTask DisposeAsync();
}

public sealed class SqliteTestStore : TestStore
{
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("addernet-store-");
    private readonly SetClock clock = new();

    public override string Address => "sqlite:" + File;

    public string File => Path.Combine(directory.FullName, "nested", "runs.db");

    internal override RunStore Open(string cluster = CoordinatorOptions.DefaultCluster) => StoreAddress.Open(Address, cluster, clock);

    public override Task LetPassAsync(TimeSpan time)
    {
        clock.Passed += time;
        return Task.CompletedTask;
    }

    public override async Task ExecuteAsync(string sql)
    {
        await using var connection = Connect();
        await connection.ExecuteAsync(sql);
    }

    public override async Task<string?> ValueAsync(string sql)
    {
        await using var connection = Connect();
        return await connection.ExecuteScalarAsync<string>(sql);
    }

    public override Task FillDiskAsync() =>
        ExecuteAsync("CREATE TRIGGER stop BEFORE UPDATE OF state ON runs BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END");

    public override Task ForgetAsync()
    {
        foreach (var file in directory.EnumerateFiles("runs.db*", SearchOption.AllDirectories))
            file.Delete();
        return Task.CompletedTask;
    }

    public override async Task MakeFirstVersionAsync()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(File)!);
        foreach (var statement in SqliteTables.First.Append("INSERT INTO schema_version VALUES (1)"))
            await ExecuteAsync(statement);
    }

    public override ValueTask DisposeAsync()
    {
        directory.Delete(recursive: true);
        return default;
    }

    private SqliteConnection Connect() => new($"Data Source={File};Pooling=False");

    private sealed class SetClock : TimeProvider
    {
        public TimeSpan Passed { get; set; }

        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Passed;
    }
}
