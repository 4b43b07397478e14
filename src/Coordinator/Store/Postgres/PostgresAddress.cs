using Npgsql;

namespace AdderNet.Coordinator.Store.Postgres;

/// <summary>What follows <c>postgres:</c>, a connection string of Npgsql.</summary>
internal static class PostgresAddress
{
    public const string Example = "postgres:Host=db.example;Database=addernet;Username=addernet";

    /// <summary>
    /// Adds what the store relies on: a commit is on disk before it is answered, and a coordinator that stands still in
    /// the middle of a transaction does not keep another one from taking over.
    /// </summary>
    private const string Session = "-c synchronous_commit=on -c idle_in_transaction_session_timeout=5000";

    /// <exception cref="StoreException">It is no connection string, or names no server.</exception>
    public static NpgsqlConnectionStringBuilder Parse(string connection)
    {
        NpgsqlConnectionStringBuilder parsed;
        try
        {
            parsed = new NpgsqlConnectionStringBuilder(connection);
        }
        catch (Exception e) when (e is ArgumentException or FormatException or KeyNotFoundException)
        {
            // The string may hold a password: what is wrong with it is said without it.
            throw new StoreException($"what follows postgres: is no connection string ({e.Message.ReplaceLineEndings(" ")}); valid: {Example}");
        }

        if (string.IsNullOrWhiteSpace(parsed.Host))
            throw new StoreException($"what follows postgres: names no Host; valid: {Example}");
        parsed.ApplicationName ??= "addernet";
        parsed.Options = $"{Session} {parsed.Options}".TrimEnd();
        if (!parsed.ContainsKey("Timeout"))
            parsed.Timeout = 5;
        if (!parsed.ContainsKey("Command Timeout"))
            parsed.CommandTimeout = 10;
        return parsed;
    }

    /// <summary>The server, database and user, without the password.</summary>
    public static string Describe(NpgsqlConnectionStringBuilder connection) =>
        $"postgres:Host={connection.Host};Port={connection.Port};Database={connection.Database ?? connection.Username ?? Environment.UserName};Username={connection.Username ?? Environment.UserName}";
}
