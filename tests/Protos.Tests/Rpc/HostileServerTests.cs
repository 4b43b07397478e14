using System.Net;
using System.Net.Sockets;
using AdderNet.Protos.Rpc;
using Xunit;

namespace AdderNet.Protos.Tests.Rpc;

/// <summary>Servers that speak HTTP/2 wrongly, break off or fall silent: every call to them ends with a status, none hangs.</summary>
public sealed class HostileServerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly byte[] Settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];

    // :status 200 from the static table, and content-type application/grpc as a literal.
    private static readonly byte[] Opened = Frame(1, 4, 1, [0x88, 0x5f, 0x10, .. "application/grpc"u8]);

    public static TheoryData<string, byte[]> Answers => new()
    {
        { "nothing at all", [] },
        { "text", "HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray() },
        { "zeros", new byte[200] },
        { "goaway at once", [.. Settings, .. Frame(7, 0, 0, new byte[8])] },
        { "goaway midway", [.. Settings, .. Opened, .. Frame(0, 0, 1, [0, 0, 0, 0, 9, 1]), .. Frame(7, 0, 0, new byte[8])] },
        { "reset midway", [.. Settings, .. Opened, .. Frame(0, 0, 1, [0, 0, 0, 0, 9, 1]), .. Frame(3, 0, 1, [0, 0, 0, 2])] },
        { "end midway", [.. Settings, .. Opened, .. Frame(0, 1, 1, [0, 0, 0, 0, 9, 1])] },
        { "no status", [.. Settings, .. Opened, .. Frame(0, 1, 1, [0, 0, 0, 0, 0])] },
        { "data on no stream", [.. Settings, .. Frame(0, 0, 7, [1, 2, 3])] },
        { "window beyond 2^31", [.. Settings, .. Frame(8, 0, 0, [0x7f, 0xff, 0xff, 0xff]), .. Frame(8, 0, 0, [0x7f, 0xff, 0xff, 0xff])] },
        { "impossible setting", [.. Frame(4, 0, 0, [0, 5, 0, 0, 0, 1])] },
        { "garbled headers", [.. Settings, .. Frame(1, 4, 1, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff])] },
        { "a frame longer than allowed", [.. Settings, .. Opened, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1] },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task Whatever_a_server_sends_before_it_closes_the_call_fails(string what, byte[] bytes)
    {
        RpcException failed = await CallAsync(bytes, close: true);

        Assert.True(failed.Code is RpcStatusCode.Unavailable or RpcStatusCode.Internal or RpcStatusCode.Unknown or RpcStatusCode.Unimplemented, $"{what}: {failed.Message}");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public async Task A_server_that_falls_silent_is_unavailable(int ofMessage)
    {
        byte[] message = [0, 0, 0, 0, 3, 0x0a, 1, 5];

        RpcException failed = await CallAsync([.. Settings, .. Opened, .. Frame(0, 0, 1, message[..ofMessage])], close: false);

        Assert.Equal(RpcStatusCode.Unavailable, failed.Code);
    }

    [Fact]
    public async Task Random_bytes_from_a_server_always_end_the_call()
    {
        uint state = 11;
        for (int i = 0; i < 30; i++)
        {
            byte[] noise = new byte[1 + ((state >> 8) % 300)];
            for (int k = 0; k < noise.Length; k++)
            {
                state = (state * 1664525) + 1013904223;
                noise[k] = (byte)(state >> 24);
            }
            byte[] before = (i % 3) switch { 0 => [], 1 => Settings, _ => [.. Settings, .. Opened] };

            await CallAsync([.. before, .. noise], close: true);
        }
    }

    private static async Task<RpcException> CallAsync(byte[] answer, bool close)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var stop = new CancellationTokenSource();
        Task serving = ServeAsync(listener, answer, close, stop.Token);
        var address = new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");
        await using RpcChannel channel = RpcChannel.Create(address, new RpcChannelOptions { KeepAlivePingDelay = Second, KeepAlivePingTimeout = Second });
        try
        {
            return await Assert.ThrowsAsync<RpcException>(() => channel.UnaryAsync(EchoMethods.Say, Messages.Of(1)).WaitAsync(Patience));
        }
        finally
        {
            await stop.CancelAsync();
            await serving.WaitAsync(Patience);
        }
    }

    /// <summary>Answers every connection, as often as the client comes back, once it has asked for something.</summary>
    private static async Task ServeAsync(TcpListener listener, byte[] answer, bool close, CancellationToken stop)
    {
        var open = new List<Socket>();
        try
        {
            while (true)
            {
                Socket socket = await listener.AcceptSocketAsync(stop);
                open.Add(socket);
                try
                {
                    await socket.ReceiveAsync(new byte[4096], stop);
                    await socket.SendAsync(answer, stop);
                    if (close)
                        socket.Shutdown(SocketShutdown.Send);
                }
                catch (SocketException)
                {
                    // The client was the first to close.
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The call has ended.
        }
        finally
        {
            open.ForEach(s => s.Dispose());
        }
    }

    private static byte[] Frame(byte type, byte flags, int stream, byte[] payload) =>
        [(byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length, type, flags, 0, 0, 0, (byte)stream, .. payload];
}
