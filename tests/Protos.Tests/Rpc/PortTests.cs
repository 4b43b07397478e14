using System.Net;
using System.Net.Sockets;
using System.Text;
using AdderNet.Protos.Rpc;
using Google.Protobuf.WellKnownTypes;
using Xunit;

namespace AdderNet.Protos.Tests.Rpc;

public sealed class PortTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task One_port_answers_plain_HTTP_of_either_version_beside_gRPC(string version)
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();
        using var http = new HttpClient { DefaultRequestVersion = Version.Parse(version), DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };

        using HttpResponseMessage health = await http.GetAsync(new Uri(rpc.Server.Address, "/healthz"));
        using HttpResponseMessage nothing = await http.GetAsync(new Uri(rpc.Server.Address, "/nothing"));

        Assert.Equal((HttpStatusCode.OK, "ok", version), (health.StatusCode, await health.Content.ReadAsStringAsync(), health.Version.ToString()));
        Assert.Equal(HttpStatusCode.NotFound, nothing.StatusCode);
        Assert.Equal(Messages.Of(1), await rpc.Channel.UnaryAsync(EchoMethods.Say, Messages.Of(1)));
    }

    [Fact]
    public async Task A_request_that_comes_in_single_bytes_is_understood()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, rpc.Server.Address.Port);

        // "P" alone could still become the start of either version.
        foreach (byte b in "POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray())
            await socket.SendAsync(new[] { b });

        Assert.StartsWith("HTTP/1.1 200 OK", await ReadToEndAsync(socket));
    }

    [Fact]
    public async Task A_connection_that_says_nothing_is_closed_after_a_while()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync(server: o => o with { FirstBytesTimeout = TimeSpan.FromMilliseconds(100) });
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, rpc.Server.Address.Port);
        await socket.SendAsync("PRI * HT"u8.ToArray());

        Assert.Equal("", await ReadToEndAsync(socket));
    }

    [Fact]
    public async Task A_taken_port_is_named_with_a_way_out()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();
        string address = rpc.Server.Address.GetLeftPart(UriPartial.Authority);

        RpcListenException taken = await Assert.ThrowsAsync<RpcListenException>(
            () => RpcServer.StartAsync(new RpcServerOptions { Listen = rpc.Server.Address }));

        Assert.Equal($"address {address} is in use; choose another with --listen, for example http://127.0.0.1:0", taken.Message);
    }

    [Theory]
    [InlineData("ftp://127.0.0.1:5000", "ftp://127.0.0.1:5000/")]
    [InlineData("http://127.0.0.1:5000/path", "/path")]
    [InlineData("https://127.0.0.1:0", "certificate")]
    [InlineData("http://192.0.2.1:5000", "http://192.0.2.1:5000")]
    public async Task An_address_that_cannot_be_listened_on_is_explained_in_one_line(string address, string named)
    {
        RpcListenException refused = await Assert.ThrowsAsync<RpcListenException>(
            () => RpcServer.StartAsync(new RpcServerOptions { Listen = new Uri(address) }));

        Assert.Contains(named, refused.Message);
        Assert.EndsWith("for example http://127.0.0.1:0", refused.Message);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Theory]
    [InlineData("http://localhost:0", "localhost")]
    [InlineData("http://0.0.0.0:0", "0.0.0.0")]
    public async Task The_address_keeps_the_host_asked_for_and_tells_the_port_got(string listen, string host)
    {
        await using RpcServer server = await RpcServer.StartAsync(new RpcServerOptions { Listen = new Uri(listen), Services = [new EchoService()] });
        Assert.Equal(host, server.Address.Host);
        await using RpcChannel channel = RpcChannel.Create(new Uri($"http://127.0.0.1:{server.Address.Port}"));

        Assert.Equal(Messages.Of(1), await channel.UnaryAsync(EchoMethods.Say, Messages.Of(1)));
    }

    [Fact]
    public async Task A_stopping_server_lets_calls_end_and_takes_no_new_ones()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync(server: o => o with { GracePeriod = 2 * Patience });
        await using RpcDuplexCall<BytesValue, BytesValue> call = rpc.Channel.Duplex(EchoMethods.Chat);
        await using IAsyncEnumerator<BytesValue> answers = call.ReadAllAsync().GetAsyncEnumerator();
        await call.WriteAsync(Messages.Of(1));
        Assert.True(await answers.MoveNextAsync());
        var stopping = new TaskCompletionSource();
        using CancellationTokenRegistration told = rpc.Echo.Last!.ServerStopping.Register(stopping.SetResult);

        Task stop = rpc.Server.StopAsync();
        await stopping.Task.WaitAsync(Patience);
        await call.WriteAsync(Messages.Of(2));
        Assert.True(await answers.MoveNextAsync());
        Assert.False(stop.IsCompleted);
        await call.CompleteAsync();
        Assert.False(await answers.MoveNextAsync());

        await stop.WaitAsync(Patience);
        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => rpc.Channel.UnaryAsync(EchoMethods.Say, Messages.Of(1)));
        Assert.Equal(RpcStatusCode.Unavailable, refused.Code);
    }

    [Fact]
    public async Task After_the_grace_period_calls_are_aborted()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync(server: o => o with { GracePeriod = TimeSpan.FromMilliseconds(200) });
        Task<BytesValue> call = rpc.Channel.UnaryAsync(EchoMethods.Hang, Messages.Of(1));
        Assert.Equal("hanging", await rpc.Echo.NextEventAsync());

        await rpc.Server.StopAsync().WaitAsync(Patience);

        Assert.Equal("cancelled", await rpc.Echo.NextEventAsync());
        Assert.Equal(RpcStatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => call)).Code);
    }

    [Fact]
    public async Task A_stopped_server_has_given_its_port_back()
    {
        RpcFixture first = await RpcFixture.StartAsync();
        Uri address = first.Server.Address;
        await first.DisposeAsync();

        await using RpcServer second = await RpcServer.StartAsync(new RpcServerOptions { Listen = address });

        Assert.Equal(address, second.Address);
    }

    private static async Task<string> ReadToEndAsync(Socket socket)
    {
        var text = new StringBuilder();
        byte[] buffer = new byte[4096];
        try
        {
            while (await socket.ReceiveAsync(buffer).WaitAsync(Patience) is > 0 and int count)
                text.Append(Encoding.ASCII.GetString(buffer, 0, count));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            // Closed without ceremony: that is also an end.
        }
        return text.ToString();
    }
}
