namespace AdderNet.Coordinator.Store;

/// <summary>Opens the store that an address such as <c>sqlite:runs.db</c> names.</summary>
internal static class StoreAddress
{
    private const string Sqlite = "sqlite:";

    /// <exception cref="StoreException">The address names no store, or the store cannot be opened.</exception>
    public static IRunStore Open(string address, TimeProvider time) =>
        address.StartsWith(Sqlite, StringComparison.Ordinal) && address.Length > Sqlite.Length
            ? SqliteRunStore.Open(address[Sqlite.Length..], time)
            : throw new StoreException($"store '{address}' is none that this build knows; valid: sqlite:coordinator.db");
}
