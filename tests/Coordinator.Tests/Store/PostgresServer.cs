using System.Diagnostics;
using AdderNet.Coordinator.Store.Postgres;
using Dapper;
using Npgsql;
using Xunit;

namespace AdderNet.Coordinator.Tests.Store;

/// <summary>A PostgreSQL server of these tests' own: started when the first of them needs it, and ended with the last.</summary>
public sealed class PostgresServer : IAsyncLifetime
{
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("addernet-pg-");
    private int stores;

    public string Connection => $"Host={directory.FullName};Database=postgres;Username=addernet;Password=addernet";

    public Task InitializeAsync() => CommandAsync("start");

    public async Task DisposeAsync()
    {
        await CommandAsync("stop");
        directory.Delete(recursive: true);
    }

    /// <summary>start, restart, kill or stop.</summary>
    public async Task CommandAsync(string command)
    {
        await RunAsync(Path.Combine(Root(), "build", "postgres.sh"), command, directory.FullName);
        NpgsqlConnection.ClearAllPools(); // the tests' own connections, which a server that went away has broken
    }

    /// <summary>Runs a program of PostgreSQL, or any other, against this server.</summary>
    public async Task RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        (start.Environment["PGHOST"], start.Environment["PGUSER"], start.Environment["PGPASSWORD"]) = (directory.FullName, "addernet", "addernet");
        using var process = Process.Start(start)!;
        // The server inherits the pipes, so their end is not waited for.
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1), TimeProvider.System);
        await process.WaitForExitAsync(limit.Token);
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {await process.StandardError.ReadToEndAsync(limit.Token)}");
    }

    /// <summary>An empty schema for one store.</summary>
    public async Task<PostgresTestStore> CreateAsync()
    {
        var schema = $"store{Interlocked.Increment(ref stores)}";
        await using var connection = new NpgsqlConnection(Connection);
        await connection.ExecuteAsync($"CREATE SCHEMA {schema}");
        return new PostgresTestStore(Connection, schema);
    }

    private static string Root()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "AdderNet.sln")))
            directory = directory.Parent ?? throw new InvalidOperationException("these tests run within the repository");
        return directory.FullName;
    }
}

/// <summary>One store: a schema of the server.</summary>
public sealed class PostgresTestStore(string server, string schema) : TestStore
{
    public string Connection => $"{server};Search Path={schema}";

    public override string Address => "postgres:" + Connection;

    /// <summary>The clock is the server's: the lease is made older instead.</summary>
    public override Task LetPassAsync(TimeSpan time) =>
        ExecuteAsync($"UPDATE coordinator_lease SET expires_ms = expires_ms - {(long)time.TotalMilliseconds}");

    public override async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(Connection);
        await connection.ExecuteAsync(sql);
    }

    public override async Task<string?> ValueAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(Connection);
        return (await connection.ExecuteScalarAsync<object>(sql))?.ToString();
    }

    public override Task FillDiskAsync() => ExecuteAsync(
        """
        CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'could not extend file "base/1/2": No space left on device' USING ERRCODE = '53100'; END $$;
        CREATE TRIGGER stop BEFORE UPDATE OF state ON runs FOR EACH ROW EXECUTE FUNCTION stop();
        """);

    public override Task ForgetAsync() => ExecuteAsync($"DROP SCHEMA {schema} CASCADE; CREATE SCHEMA {schema}");

    public override async Task MakeFirstVersionAsync()
    {
        foreach (var statement in PostgresTables.First.Append("INSERT INTO schema_version VALUES (1)"))
            await ExecuteAsync(statement);
    }

    public override ValueTask DisposeAsync() => default;
}

/// <summary>Tests that use the server run one after another: some of them stop it.</summary>
[CollectionDefinition(Name)]
public sealed class PostgresCollection : ICollectionFixture<PostgresServer>
{
    public const string Name = "PostgreSQL";
}
