using Microsoft.Extensions.Logging;

namespace AdderNet.Coordinator.Silos;

/// <summary>What ends a silo for good, such as the others' having taken it for dead: its coordinator ends with one line.</summary>
internal sealed class SiloFatality(ILogger log) : IFatalErrorHandler
{
    private readonly TaskCompletionSource<string> happened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes with the reason.</summary>
    public Task<string> Happened => happened.Task;

    public bool IsUnexpected(Exception exception) => exception is not (OperationCanceledException or ObjectDisposedException);

    public void OnFatalException(object? sender = null, string? context = null, Exception? exception = null)
    {
        var why = (context ?? exception?.Message ?? "unknown").ReplaceLineEndings(" ");
        SiloLog.Fatal(log, why);
        happened.TrySetResult(why);
    }
}
