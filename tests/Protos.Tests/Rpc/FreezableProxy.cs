using System.Net;
using System.Net.Sockets;

namespace AdderNet.Protos.Tests.Rpc;

/// <summary>A wire between one client and a server that can go dead without either end being closed.</summary>
internal sealed class FreezableProxy : IAsyncDisposable
{
    private readonly Socket _listener = new(SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _disposed = new();
    private readonly Task _running;
    private volatile bool _frozen;

    public FreezableProxy(int serverPort)
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndPoint!).Port}");
        _running = RunAsync(serverPort);
    }

    public Uri Address { get; }

    /// <summary>From now on whatever is sent is lost.</summary>
    public void Freeze() => _frozen = true;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _disposed.SetResult();
        await _running;
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task RunAsync(int serverPort)
    {
        try
        {
            using Socket client = await _listener.AcceptAsync(_stop.Token);
            using var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await server.ConnectAsync(IPAddress.Loopback, serverPort, _stop.Token);
            await Task.WhenAll(PumpAsync(client, server), PumpAsync(server, client));
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }

    private async Task PumpAsync(Socket from, Socket to)
    {
        byte[] buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, _stop.Token) is > 0 and int count)
            {
                if (!_frozen)
                    await to.SendAsync(buffer.AsMemory(0, count), _stop.Token);
            }
        }
        catch (SocketException)
        {
            // One end gave up. The other must find out by itself.
        }
        await _disposed.Task;
    }
}
