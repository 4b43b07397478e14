using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace AdderNet.Chaos;

/// <summary>
/// A wire in front of a server. Cut, it is as silent as an unplugged cable: nothing passes, nothing is closed, new
/// connections are accepted by nobody's hand. Healed, what was under way arrives.
/// </summary>
internal sealed class Link : IAsyncDisposable
{
    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource stop = new();
    private readonly ConcurrentDictionary<Socket, bool> open = [];
    private readonly ConcurrentBag<Task> pumping = [];
    private readonly int port;
    private readonly Task accepting;
    private readonly ConcurrentDictionary<int, bool> shutOut = [];
    private TaskCompletionSource passes = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long held;

    /// <param name="port">Where the server listens on this machine.</param>
    public Link(int port)
    {
        this.port = port;
        passes.SetResult();
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        accepting = AcceptAsync();
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndPoint!).Port}");

    /// <summary>How often something was kept from passing.</summary>
    public long Held => Interlocked.Read(ref held);

    /// <summary>A port that is free now.</summary>
    public static int FreePort()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }

    public void Cut() => passes = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Cut for one client process alone: all others still pass.</summary>
    public void CutFrom(int process)
    {
        shutOut[process] = true;
        Cut();
    }

    public void Heal()
    {
        shutOut.Clear();
        passes.TrySetResult();
    }

    /// <summary>Every connection ends, as when a router forgets them.</summary>
    public void Reset()
    {
        foreach (var socket in open.Keys)
            socket.Close(0);
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        Heal();
        Reset();
        listener.Dispose();
        await accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(pumping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!stop.IsCancellationRequested)
            pumping.Add(ServeAsync(await listener.AcceptAsync(stop.Token)));
    }

    private async Task ServeAsync(Socket client)
    {
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.NoDelay = true;
        open[client] = open[server] = true;
        try
        {
            var caller = ((IPEndPoint)client.RemoteEndPoint!).Port;
            await PassAsync(caller);
            await server.ConnectAsync(IPAddress.Loopback, port, stop.Token);
            await Task.WhenAny(PumpAsync(client, server, caller), PumpAsync(server, client, caller));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // One end is gone: the other hears of it below.
        }
        finally
        {
            open.TryRemove(client, out _);
            open.TryRemove(server, out _);
            client.Close(0);
            server.Close(0);
        }
    }

    private async Task PumpAsync(Socket from, Socket to, int caller)
    {
        var buffer = new byte[64 * 1024];
        while (await from.ReceiveAsync(buffer, stop.Token) is > 0 and var count)
        {
            await PassAsync(caller);
            for (var sent = 0; sent < count;)
                sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), stop.Token);
        }

        await PassAsync(caller);
    }

    /// <param name="caller">The client's own port, which tells whose connection it is.</param>
    private async Task PassAsync(int caller)
    {
        var open = Volatile.Read(ref passes).Task;
        if (open.IsCompleted || !(shutOut.IsEmpty || shutOut.Keys.Any(process => SocketOwner.Has(process, caller))))
            return;
        Interlocked.Increment(ref held);
        await open.WaitAsync(stop.Token);
    }
}
