namespace AdderNet.Coordinator.Store;

/// <summary>A relational database as the store uses it: what differs between SQLite and PostgreSQL, and nothing else.</summary>
internal interface IStoreDatabase : IAsyncDisposable
{
    /// <summary>Names the database for people; holds no secret.</summary>
    string Name { get; }

    /// <summary>
    /// SQL: milliseconds since 1970 by the clock that leases are measured with. Always the same text: what statements compile to
    /// is kept by their text, so that one with the time in it would be kept anew each time it is run.
    /// </summary>
    string Now { get; }

    /// <summary>SQL that ends a SELECT of the lease so that it cannot change hands before the transaction ends; other readers of this kind are let in.</summary>
    string LockShared { get; }

    /// <summary>The same, and lets nobody else in.</summary>
    string LockAlone { get; }

    /// <summary>A statement that makes transactions with it run one after another; null: all do so anyway.</summary>
    string? LockStore { get; }

    /// <summary>SQL that counts tables of the name <c>@table</c>.</summary>
    string CountTables { get; }

    /// <summary>Statements that make the tables of schema version 1.</summary>
    IReadOnlyList<string> FirstTables { get; }

    /// <summary>Runs <paramref name="work"/> in one transaction and commits it; what fails for a passing reason may be run again.</summary>
    /// <exception cref="StoreException">The database cannot be reached, read or written.</exception>
    Task<T> TransactAsync<T>(string operation, Func<StoreTransaction, Task<T>> work, CancellationToken cancellation);
}
