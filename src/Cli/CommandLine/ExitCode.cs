namespace AdderNet.Cli.CommandLine;

/// <summary>Exit statuses that scripts rely on.</summary>
internal static class ExitCode
{
    /// <summary>The work asked for was done.</summary>
    public const int Done = 0;

    /// <summary>It was not done, whatever the reason (an interruption too).</summary>
    public const int NotDone = 1;

    /// <summary>Arguments or YAML alone show that it cannot be done.</summary>
    public const int WrongInput = 2;
}

/// <summary>Ends the command with one line and an exit status; never shown with a stack trace.</summary>
internal sealed class CommandFailedException(string message, int exitCode = ExitCode.NotDone) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}
