using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace AdderNet.Protos.Rpc;

/// <summary>
/// A call on which both sides send as they like. Any number of writers (their messages do not mix) and one reader.
/// Disposing it before the responses have ended cancels the call.
/// </summary>
public sealed class RpcDuplexCall<TRequest, TResponse> : IAsyncDisposable
{
    private readonly StreamedContent _content;
    private readonly RpcMethod<TRequest, TResponse> _method;
    private readonly SemaphoreSlim _writing = new(1, 1);
    private bool _completed;

    internal RpcDuplexCall(ClientCall<TRequest, TResponse> call, StreamedContent content, RpcMethod<TRequest, TResponse> method)
    {
        Call = call;
        _content = content;
        _method = method;
    }

    internal ClientCall<TRequest, TResponse> Call { get; }

    /// <summary>Sends one message; returns when the transport has taken it, which it does no faster than the server reads.</summary>
    /// <exception cref="RpcException">The call has ended; if the server ended it, its status comes with the responses.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled; a message half sent cannot be taken back, so the call is cancelled too.</exception>
    public async Task WriteAsync(TRequest message, CancellationToken cancellationToken = default)
    {
        using CancellationTokenRegistration cancel = Call.CancelWith(cancellationToken);
        try
        {
            await _writing.WaitAsync(Call.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e)
        {
            throw Call.Translate(e, cancellationToken);
        }
        try
        {
            if (_completed)
                throw new InvalidOperationException($"no message can be written to {_method.FullName} after CompleteAsync");
            PipeWriter writer = await _content.Writer.WaitAsync(Call.Token).ConfigureAwait(false);
            int written = await Frame.SendAsync(writer, _method.RequestMarshaller, message, Call.Token).ConfigureAwait(false);
            RpcTelemetry.Sent("client", _method.FullName, written);
        }
        catch (Exception e) when (!_completed)
        {
            throw Call.TranslateWrite(e, cancellationToken);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Tells the server that no more messages come. Responses go on.</summary>
    public async Task CompleteAsync()
    {
        await _writing.WaitAsync().ConfigureAwait(false);
        _completed = true;
        _writing.Release();
        _content.Complete();
    }

    /// <summary>The responses as they come, until the server ends the call.</summary>
    /// <exception cref="RpcException">The call ended with a status other than OK.</exception>
    public async IAsyncEnumerable<TResponse> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (await Call.ReadAsync(cancellationToken).ConfigureAwait(false) is { End: false } frame)
            yield return frame.Message;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Call.DisposeAsync().ConfigureAwait(false);
        _content.Fail(new ObjectDisposedException(nameof(RpcDuplexCall<TRequest, TResponse>)));
    }
}
