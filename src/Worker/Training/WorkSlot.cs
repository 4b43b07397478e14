using AdderNet.Core.Checkpoints;
using AdderNet.Worker.Exchange;
using AdderNet.Worker.Membership;
using AdderNet.Worker.Session;

namespace AdderNet.Worker.Training;

/// <summary>The one piece of work in progress, beside the loop, so that orders are heard meanwhile. It ends with one event.</summary>
internal sealed class WorkSlot(MemberInbox inbox) : IAsyncDisposable
{
    private CancellationTokenSource abort = new();
    private Task task = Task.CompletedTask;

    /// <summary>Begins work; the work before has posted its event.</summary>
    /// <param name="number">Names the work.</param>
    /// <param name="body">Does it and gives the event with which it ends.</param>
    public void Start(long number, Func<CancellationToken, Task<MemberEvent>> body)
    {
        abort.Dispose();
        abort = new CancellationTokenSource();
        var token = abort.Token;
        task = Task.Run(() => GuardAsync(number, body, token), CancellationToken.None);
    }

    /// <summary>Asks the work to end soon.</summary>
    public void Abort() => abort.Cancel();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await abort.CancelAsync();
        await task;
        abort.Dispose();
    }

    private async Task GuardAsync(long number, Func<CancellationToken, Task<MemberEvent>> body, CancellationToken token)
    {
        try
        {
            inbox.Post(await body(token));
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            inbox.Post(new WorkAborted(number));
        }
        catch (Exception e) when (e is PeerException or TensorFileException or IOException or UnauthorizedAccessException)
        {
            inbox.Post(new WorkFailed(number, e.Message, (e as PeerException)?.Peer ?? string.Empty));
        }
        catch (Exception e)
        {
            // A sample that cannot be read, too, ends this worker: it may be well on another machine's disk.
            inbox.Close(e);
        }
    }
}
