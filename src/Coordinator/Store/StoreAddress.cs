using AdderNet.Coordinator.Store.Postgres;
using AdderNet.Coordinator.Store.Sqlite;

namespace AdderNet.Coordinator.Store;

/// <summary>Opens the store that an address such as <c>sqlite:runs.db</c> names.</summary>
public static class StoreAddress
{
    private const string Sqlite = "sqlite:";
    private const string Postgres = "postgres:";

    /// <summary>What is wrong with an address, as far as it alone shows; null: nothing.</summary>
    public static string? ProblemOf(string address)
    {
        if (address.StartsWith(Sqlite, StringComparison.Ordinal) && address.Length > Sqlite.Length)
            return null;
        if (!address.StartsWith(Postgres, StringComparison.Ordinal))
            return $"'{address}' is not a store; valid: sqlite:coordinator.db or {PostgresAddress.Example}";
        try
        {
            PostgresAddress.Parse(address[Postgres.Length..]);
            return null;
        }
        catch (StoreException e)
        {
            return e.Message;
        }
    }

    /// <summary>Opens a store, without taking its lease.</summary>
    /// <param name="address">Names it.</param>
    /// <param name="cluster">Whose store it must be, or becomes on first use.</param>
    /// <param name="time">The clock of retries, and of leases in a SQLite file.</param>
    /// <param name="watch">Told of every place between two statements; null: nobody.</param>
    /// <exception cref="StoreException">The address names no store, or a file cannot be opened.</exception>
    internal static RunStore Open(string address, string cluster, TimeProvider time, Action<StorePoint>? watch = null) =>
        new(OpenDatabase(address, time, watch), cluster);

    /// <summary>Opens the database under a store.</summary>
    /// <exception cref="StoreException">The address names no store, or a file cannot be opened.</exception>
    internal static IStoreDatabase OpenDatabase(string address, TimeProvider time, Action<StorePoint>? watch)
    {
        if (ProblemOf(address) is { } problem)
            throw new StoreException(problem);
        return IsShared(address) ? PostgresDatabase.Open(address[Postgres.Length..], time, watch) : SqliteDatabase.Open(address[Sqlite.Length..], time, watch);
    }

    /// <summary>Whether processes of several machines can use the store at once.</summary>
    internal static bool IsShared(string address) => address.StartsWith(Postgres, StringComparison.Ordinal);
}
