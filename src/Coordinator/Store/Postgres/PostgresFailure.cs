using System.Net.Sockets;
using Npgsql;

namespace AdderNet.Coordinator.Store.Postgres;

/// <summary>What a failure of PostgreSQL means: whether it passes by itself, and the one line that says what to do.</summary>
internal static class PostgresFailure
{
    private const string IdleInTransactionTimeout = "25P03";

    /// <summary>Whether the same work may succeed later.</summary>
    /// <param name="failure">What went wrong.</param>
    /// <param name="wasReached">The server was reached before: that it is gone now is taken for a restart, not for a wrong address.</param>
    public static bool IsPassing(Exception? failure, bool wasReached) => failure switch
    {
        PostgresException server => server.SqlState switch
        {
            PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected => true,
            PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.TooManyConnections
                or IdleInTransactionTimeout or PostgresErrorCodes.ReadOnlySqlTransaction => wasReached,
            _ => server.SqlState.StartsWith("08", StringComparison.Ordinal) && wasReached,
        },
        NpgsqlException => wasReached,
        SocketException or IOException or TimeoutException => wasReached,
        _ => false,
    };

    /// <summary>One line for people; null: no failure of the database.</summary>
    public static string? Explain(Exception failure, string name, bool wasReached) => failure switch
    {
        PostgresException server => server.SqlState switch
        {
            PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification =>
                $"store {name} refuses the credentials: {server.MessageText}; name others, such as Username=addernet;Password=..., or set PGPASSWORD",
            PostgresErrorCodes.InvalidCatalogName => $"store {name} is not there: {server.MessageText}; make it with: createdb NAME",
            PostgresErrorCodes.DiskFull => $"store {name} cannot be written, its disk is full: {server.MessageText}",
            PostgresErrorCodes.InsufficientPrivilege => $"store {name} does not let this user in: {server.MessageText}; let it own the database or a schema named by Search Path",
            PostgresErrorCodes.ReadOnlySqlTransaction => $"store {name} only lets itself be read ({server.MessageText}): name the primary server",
            _ => $"store {name} cannot be read or written: {server.MessageText} ({server.SqlState})",
        },
        NpgsqlException or SocketException or IOException or TimeoutException => wasReached
            ? $"store {name} went away and did not come back within {PostgresDatabase.Patience.TotalSeconds:0} s: {Deepest(failure)}"
            : $"store {name} cannot be reached: {Deepest(failure)}; is PostgreSQL running there?",
        _ => null,
    };

    private static string Deepest(Exception failure) => (failure.InnerException ?? failure).Message.ReplaceLineEndings(" ").TrimEnd('.');
}
