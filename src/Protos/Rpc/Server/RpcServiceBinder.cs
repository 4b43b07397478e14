namespace AdderNet.Protos.Rpc;

/// <summary>Collects the handlers of one service.</summary>
/// <remarks>
/// A handler answers with what it returns or writes. To refuse, it throws <see cref="RpcException"/>; any other exception is logged and becomes
/// <see cref="RpcStatusCode.Unknown"/>. Reading requests throws <see cref="OperationCanceledException"/> once the client has gone.
/// </remarks>
public sealed class RpcServiceBinder
{
    private readonly Dictionary<string, ServerMethod> _methods;

    internal RpcServiceBinder(Dictionary<string, ServerMethod> methods, int maxReceiveMessageBytes)
    {
        _methods = methods;
        MaxReceiveMessageBytes = maxReceiveMessageBytes;
    }

    /// <summary>Largest request message that the methods bound after this accept, in bytes; the server's limit unless set.</summary>
    public int MaxReceiveMessageBytes { get; set; }

    /// <summary>One request, one response.</summary>
    public void Unary<TRequest, TResponse>(
        RpcMethod<TRequest, TResponse> method, Func<TRequest, RpcServerContext, Task<TResponse>> handler)
        => Add(method, RpcKind.Unary, async call =>
        {
            TRequest request = await call.ReadSingleAsync(method.RequestMarshaller).ConfigureAwait(false);
            call.WriteLast(method.ResponseMarshaller, await handler(request, call.Context).ConfigureAwait(false));
        });

    /// <summary>One request, any number of responses.</summary>
    public void ServerStreaming<TRequest, TResponse>(
        RpcMethod<TRequest, TResponse> method, Func<TRequest, IRpcWriter<TResponse>, RpcServerContext, Task> handler)
        => Add(method, RpcKind.ServerStreaming, async call =>
        {
            TRequest request = await call.ReadSingleAsync(method.RequestMarshaller).ConfigureAwait(false);
            await call.RespondAsync(method.ResponseMarshaller, writer => handler(request, writer, call.Context)).ConfigureAwait(false);
        });

    /// <summary>Any number of requests, one response.</summary>
    public void ClientStreaming<TRequest, TResponse>(
        RpcMethod<TRequest, TResponse> method, Func<IAsyncEnumerable<TRequest>, RpcServerContext, Task<TResponse>> handler)
        => Add(method, RpcKind.ClientStreaming, async call =>
            call.WriteLast(method.ResponseMarshaller, await handler(call.ReadAllAsync(method.RequestMarshaller), call.Context).ConfigureAwait(false)));

    /// <summary>Any number of requests and responses, in any order.</summary>
    public void Duplex<TRequest, TResponse>(
        RpcMethod<TRequest, TResponse> method, Func<IAsyncEnumerable<TRequest>, IRpcWriter<TResponse>, RpcServerContext, Task> handler)
        => Add(method, RpcKind.Duplex, call => call.RespondAsync(
            method.ResponseMarshaller, writer => handler(call.ReadAllAsync(method.RequestMarshaller), writer, call.Context)));

    private void Add<TRequest, TResponse>(RpcMethod<TRequest, TResponse> method, RpcKind kind, Func<ServerCall, Task> body)
    {
        if (method.Kind != kind)
            throw new ArgumentException($"{method.FullName} is {method.Kind} by its contract and cannot be bound as {kind}", nameof(method));
        if (!_methods.TryAdd(method.Path, new ServerMethod(method.FullName, MaxReceiveMessageBytes, body)))
            throw new ArgumentException($"{method.FullName} is bound twice", nameof(method));
    }
}

/// <summary>A bound method: the handler with its messages' types closed over.</summary>
internal sealed record ServerMethod(string FullName, int MaxReceiveMessageBytes, Func<ServerCall, Task> Body);
