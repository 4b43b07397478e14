using System.Runtime.InteropServices;

namespace AdderNet.Cli.CommandLine;

/// <summary>Ctrl-C and SIGTERM as tokens: the first asks the command to end well, the second to end now.</summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource first = new();
    private readonly CancellationTokenSource second = new();
    private readonly PosixSignalRegistration interrupt;
    private readonly PosixSignalRegistration terminate;
    private volatile bool ignoreInterrupt;

    public Interruption()
    {
        interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle);
        terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle);
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Requested => first.Token;

    /// <summary>Cancelled by the second signal.</summary>
    public CancellationToken Forced => second.Token;

    /// <summary>From now on Ctrl-C does nothing: whoever started this process hears it too, and decides.</summary>
    public void IgnoreInterrupt() => ignoreInterrupt = true;

    public void Dispose()
    {
        interrupt.Dispose();
        terminate.Dispose();
        first.Dispose();
        second.Dispose();
    }

    private void Handle(PosixSignalContext context)
    {
        context.Cancel = true;
        if (ignoreInterrupt && context.Signal == PosixSignal.SIGINT)
            return;
        if (first.IsCancellationRequested)
            second.Cancel();
        else
            first.Cancel();
    }
}
