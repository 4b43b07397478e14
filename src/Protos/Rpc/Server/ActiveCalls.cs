namespace AdderNet.Protos.Rpc;

/// <summary>Counts the calls being answered, so that a stopping server can wait for the last handler to return.</summary>
internal sealed class ActiveCalls
{
    private readonly Lock _lock = new();
    private int _count;
    private TaskCompletionSource? _empty;

    public Lease Enter()
    {
        lock (_lock)
            _count++;
        return new Lease(this);
    }

    /// <summary>Completes when no call is being answered.</summary>
    public Task WhenNoneAsync()
    {
        lock (_lock)
        {
            if (_count == 0)
                return Task.CompletedTask;
            _empty ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _empty.Task;
        }
    }

    private void Leave()
    {
        lock (_lock)
        {
            if (--_count == 0)
                _empty?.TrySetResult();
        }
    }

    internal readonly struct Lease(ActiveCalls calls) : IDisposable
    {
        public void Dispose() => calls.Leave();
    }
}
