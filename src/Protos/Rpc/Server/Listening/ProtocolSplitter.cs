using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace AdderNet.Protos.Rpc;

/// <summary>
/// Lets one cleartext port speak HTTP/2 with prior knowledge and HTTP/1.1. Kestrel decides between them by TLS only, so it is shown two
/// endpoints; both are fed from one socket, each connection going to the endpoint that its first bytes ask for.
/// </summary>
internal sealed class ProtocolSplitter(
    IConnectionListenerFactory sockets, IPEndPoint port, TimeSpan firstBytesTimeout, TimeProvider time, ILogger log)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    private readonly CancellationTokenSource _unbound = new();
    private readonly Channel<ConnectionContext> _http1 = Channel.CreateUnbounded<ConnectionContext>();
    private readonly Channel<ConnectionContext> _http2 = Channel.CreateUnbounded<ConnectionContext>();
    private readonly HashSet<Task> _sorting = [];
    private readonly SemaphoreSlim _binding = new(1, 1);
    private IConnectionListener? _socket;
    private Task? _accepting;

    public EndPoint? BoundEndPoint => _socket?.EndPoint;

    public bool CanBind(EndPoint endpoint) => endpoint is SplitEndPoint;

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var split = (SplitEndPoint)endpoint;
        await _binding.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_socket is null)
            {
                _socket = await sockets.BindAsync(port, cancellationToken).ConfigureAwait(false);
                _accepting = AcceptAsync(_socket);
            }
        }
        finally
        {
            _binding.Release();
        }
        return new SplitListener(this, split, (split.Protocol == HttpProtocols.Http2 ? _http2 : _http1).Reader);
    }

    /// <summary>Frees the port for both endpoints; the first that asks ends accepting for both.</summary>
    /// <remarks>Takes no token: all that it waits for has just been cancelled, and a port half freed helps nobody.</remarks>
    public async ValueTask UnbindAsync()
    {
        await _unbound.CancelAsync().ConfigureAwait(false);
        await _binding.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            if (_socket is not null)
                await _socket.UnbindAsync(CancellationToken.None).ConfigureAwait(false);
            if (_accepting is not null)
                await _accepting.ConfigureAwait(false);
        }
        finally
        {
            _binding.Release();
        }
    }

    public async ValueTask DisposeSocketAsync()
    {
        if (_socket is not null)
            await _socket.DisposeAsync().ConfigureAwait(false);
    }

    private async Task AcceptAsync(IConnectionListener socket)
    {
        try
        {
            while (await socket.AcceptAsync(_unbound.Token).ConfigureAwait(false) is { } connection)
            {
                Task sorting = SortAsync(connection);
                lock (_sorting)
                    _sorting.Add(sorting);
                _ = sorting.ContinueWith(Sorted, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
        }
        catch (OperationCanceledException) when (_unbound.IsCancellationRequested)
        {
            // Unbound: nothing more is accepted.
        }
        catch (Exception e)
        {
            RpcLog.AcceptFailed(log, port.ToString(), e);
        }
        Task[] left;
        lock (_sorting)
            left = [.. _sorting];
        await Task.WhenAll(left).ConfigureAwait(false);
        _http1.Writer.TryComplete();
        _http2.Writer.TryComplete();
    }

    private void Sorted(Task sorting)
    {
        lock (_sorting)
            _sorting.Remove(sorting);
    }

    private async Task SortAsync(ConnectionContext connection)
    {
        string problem;
        using var patience = new CancellationTokenSource(firstBytesTimeout, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, _unbound.Token);
        try
        {
            HttpProtocols? protocol = await ConnectionPreface.RecogniseAsync(connection.Transport.Input, stop.Token).ConfigureAwait(false);
            if (protocol is not null && (protocol == HttpProtocols.Http2 ? _http2 : _http1).Writer.TryWrite(connection))
                return;
            problem = "it sent nothing";
        }
        catch (OperationCanceledException)
        {
            problem = _unbound.IsCancellationRequested ? "the server stops" : $"it took longer than {firstBytesTimeout}";
        }
        catch (Exception e)
        {
            problem = e.Message;
        }
        RpcLog.Unrecognised(log, connection.ConnectionId, problem);
        connection.Abort(new ConnectionAbortedException(problem));
        await connection.DisposeAsync().ConfigureAwait(false);
    }

    private sealed class SplitListener(ProtocolSplitter splitter, SplitEndPoint endpoint, ChannelReader<ConnectionContext> connections) : IConnectionListener
    {
        public EndPoint EndPoint => endpoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
            => await connections.WaitToReadAsync(cancellationToken).ConfigureAwait(false) && connections.TryRead(out ConnectionContext? connection)
                ? connection
                : null;

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default) => splitter.UnbindAsync();

        public ValueTask DisposeAsync() => splitter.DisposeSocketAsync();
    }
}
