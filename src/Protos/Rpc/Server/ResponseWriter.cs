using System.Runtime.CompilerServices;

namespace AdderNet.Protos.Rpc;

/// <summary>Writes the responses of a streaming call, one after another whoever calls.</summary>
internal sealed class ResponseWriter<T>(ServerCall call, IRpcMarshaller<T> marshaller) : IRpcWriter<T>
{
    private readonly SemaphoreSlim _writing = new(1, 1);
    private bool _closed;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask WriteAsync(T message, CancellationToken cancellationToken = default)
    {
        using CancellationTokenSource? linked = cancellationToken.CanBeCanceled
            ? CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, call.Context.CancellationToken)
            : null;
        CancellationToken token = linked?.Token ?? call.Context.CancellationToken;
        await _writing.WaitAsync(token).ConfigureAwait(false);
        try
        {
            if (_closed)
                throw new OperationCanceledException($"the handler of {call.Context.Method} has returned: its call takes no more messages");
            await call.WriteAsync(marshaller, message, token).ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Waits for the write in progress and refuses later ones, before the status is sent.</summary>
    public async Task CloseAsync()
    {
        await _writing.WaitAsync().ConfigureAwait(false);
        _closed = true;
        _writing.Release();
    }
}
