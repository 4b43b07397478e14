using AdderNet.Cli.CommandLine;

namespace AdderNet.Cli.Training;

/// <summary>
/// A child's tie to the <c>train</c> that started it (hidden option <c>--supervised</c>): when standard input ends, because the parent
/// closed it or died, the child is asked to end, and ended by force if it does not. Ctrl-C at the terminal, which reaches every
/// process of the group, is left to the parent; SIGTERM to the child itself counts.
/// </summary>
internal sealed class ParentPipe : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly CancellationTokenSource ended;
    private readonly ITimer force;

    /// <param name="interruption">Signals to this process.</param>
    /// <param name="clock">Times the patience.</param>
    public ParentPipe(Interruption interruption, TimeProvider clock)
    {
        interruption.IgnoreInterrupt();
        ended = CancellationTokenSource.CreateLinkedTokenSource(interruption.Requested);
        force = clock.CreateTimer(_ => Environment.Exit(ExitCode.NotDone), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        // A thread of its own: reading a pipe cannot be cancelled, and the process's end must not wait for it.
        new Thread(Watch) { IsBackground = true, Name = "parent pipe" }.Start();
    }

    /// <summary>Cancelled when the process should end.</summary>
    public CancellationToken Ended => ended.Token;

    public void Dispose() => force.Dispose();

    private void Watch()
    {
        using var input = Console.OpenStandardInput();
        var ignored = new byte[64];
        try
        {
            while (input.Read(ignored, 0, ignored.Length) > 0)
            {
            }
        }
        catch (IOException)
        {
            // A broken pipe is an end like any other.
        }

        force.Change(Patience, Timeout.InfiniteTimeSpan);
        ended.Cancel();
    }
}
