using System.Net;
using System.Runtime.CompilerServices;

namespace AdderNet.Protos.Rpc;

/// <summary>
/// Calls the services at one address, over as few HTTP/2 connections as serve; many calls at once, from any thread.
/// </summary>
/// <remarks>
/// Every call ends in one of three ways: its result, an <see cref="RpcException"/> with the status that the server or the transport
/// gave (<see cref="RpcStatusCode.Unavailable"/> where no connection could be had or it broke), or an
/// <see cref="OperationCanceledException"/> when the caller's own token was cancelled. Nothing is retried here.
/// </remarks>
public sealed class RpcChannel : IAsyncDisposable
{
    private readonly CancellationTokenSource _closed = new();
    private readonly HttpMessageInvoker _http;

    private RpcChannel(Uri address, RpcChannelOptions options)
    {
        Address = address;
        Options = options;
        _http = new HttpMessageInvoker(CreateHandler(options), disposeHandler: true);
    }

    /// <summary>Where the calls go.</summary>
    public Uri Address { get; }

    internal RpcChannelOptions Options { get; }

    internal CancellationToken Closed => _closed.Token;

    /// <summary>Makes a channel; connects at the first call.</summary>
    /// <param name="address"><c>http://host:port</c> or <c>https://host:port</c>.</param>
    /// <param name="options">Null: the defaults.</param>
    /// <exception cref="ArgumentException">The address is not of that form.</exception>
    public static RpcChannel Create(Uri address, RpcChannelOptions? options = null)
    {
        if (!address.IsAbsoluteUri || (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps) || address.AbsolutePath != "/")
            throw new ArgumentException($"address '{address}' is not http://host:port or https://host:port, for example http://127.0.0.1:5000", nameof(address));
        return new RpcChannel(address, options ?? new RpcChannelOptions());
    }

    /// <summary>Sends one request and awaits the one response.</summary>
    public async Task<TResponse> UnaryAsync<TRequest, TResponse>(
        RpcMethod<TRequest, TResponse> method, TRequest request, RpcCallOptions? options = null, CancellationToken cancellationToken = default)
    {
        await using var call = new ClientCall<TRequest, TResponse>(this, method, options, cancellationToken);
        call.Start(new SingleMessageContent<TRequest>(method.RequestMarshaller, request, method.FullName));
        return await call.ReadSingleAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Sends one request and reads the responses as they come. Leaving the loop early cancels the call.</summary>
    public async IAsyncEnumerable<TResponse> ServerStreamAsync<TRequest, TResponse>(
        RpcMethod<TRequest, TResponse> method, TRequest request, RpcCallOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await using var call = new ClientCall<TRequest, TResponse>(this, method, options, cancellationToken);
        call.Start(new SingleMessageContent<TRequest>(method.RequestMarshaller, request, method.FullName));
        while (await call.ReadAsync(cancellationToken).ConfigureAwait(false) is { End: false } frame)
            yield return frame.Message;
    }

    /// <summary>Sends the requests as they come and awaits the one response.</summary>
    public async Task<TResponse> ClientStreamAsync<TRequest, TResponse>(
        RpcMethod<TRequest, TResponse> method, IAsyncEnumerable<TRequest> requests, RpcCallOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        await using RpcDuplexCall<TRequest, TResponse> duplex = Duplex(method, options, cancellationToken);
        try
        {
            await foreach (TRequest request in requests.WithCancellation(cancellationToken).ConfigureAwait(false))
                await duplex.WriteAsync(request, cancellationToken).ConfigureAwait(false);
            await duplex.CompleteAsync().ConfigureAwait(false);
        }
        catch (RpcException)
        {
            // The server ended the call before it had read everything: its status, or even its response, says why.
        }
        return await duplex.Call.ReadSingleAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Opens a call on which both sides send as they like. The call starts at once.</summary>
    public RpcDuplexCall<TRequest, TResponse> Duplex<TRequest, TResponse>(
        RpcMethod<TRequest, TResponse> method, RpcCallOptions? options = null, CancellationToken cancellationToken = default)
    {
        var call = new ClientCall<TRequest, TResponse>(this, method, options, cancellationToken);
        var content = new StreamedContent();
        call.Start(content);
        return new RpcDuplexCall<TRequest, TResponse>(call, content, method);
    }

    /// <summary>Cancels the calls in progress and closes the connections.</summary>
    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync().ConfigureAwait(false);
        _http.Dispose();
    }

    internal Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        => _http.SendAsync(request, cancellationToken);

    private static SocketsHttpHandler CreateHandler(RpcChannelOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            // The calls carry the trace themselves: see ClientCall.
            ActivityHeadersPropagator = null,
            ConnectTimeout = options.ConnectTimeout,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            KeepAlivePingDelay = options.KeepAlivePingDelay,
            KeepAlivePingTimeout = options.KeepAlivePingTimeout,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            EnableMultipleHttp2Connections = options.MultipleConnections,
            InitialHttp2StreamWindowSize = options.StreamWindowBytes,
            ConnectCallback = static (context, cancellationToken) => ConnectionStream.ConnectAsync(context.DnsEndPoint, cancellationToken),
        };
        if (options.ClientCertificate is { } certificate)
            handler.SslOptions.ClientCertificates = [certificate];
        if (options.TrustedRoots is { } roots)
            handler.SslOptions.CertificateChainPolicy = CertificateTrust.To(roots);
        return handler;
    }
}
