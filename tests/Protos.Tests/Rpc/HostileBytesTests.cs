using System.Net;
using System.Net.Http.Headers;
using AdderNet.Protos.Rpc;
using Xunit;

namespace AdderNet.Protos.Tests.Rpc;

/// <summary>Bytes that no honest peer sends: each is answered or dropped, none crashes the server or leaves it waiting.</summary>
public sealed class HostileBytesTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData("Say", new byte[] { }, RpcStatusCode.Unimplemented)]
    [InlineData("Say", new byte[] { 0, 0 }, RpcStatusCode.Internal)]
    [InlineData("Say", new byte[] { 0, 0, 0, 0, 9, 1, 2 }, RpcStatusCode.Internal)]
    [InlineData("Say", new byte[] { 1, 0, 0, 0, 1, 0 }, RpcStatusCode.Unimplemented)]
    [InlineData("Say", new byte[] { 200, 0, 0, 0, 1, 0 }, RpcStatusCode.Internal)]
    [InlineData("Say", new byte[] { 0, 0x7f, 0xff, 0xff, 0xff }, RpcStatusCode.ResourceExhausted)]
    [InlineData("Say", new byte[] { 0, 0x80, 0, 0, 0, 1 }, RpcStatusCode.ResourceExhausted)]
    [InlineData("Say", new byte[] { 0, 0xff, 0xff, 0xff, 0xff, 1 }, RpcStatusCode.ResourceExhausted)]
    [InlineData("Say", new byte[] { 0, 0, 0, 0, 3, 0x0a, 0x7f, 1 }, RpcStatusCode.Internal)]
    [InlineData("Say", new byte[] { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, RpcStatusCode.Unimplemented)]
    [InlineData("Join", new byte[] { 0, 0, 0, 0, 3, 0x0a, 1, 5, 0, 0, 0, 0 }, RpcStatusCode.Internal)]
    [InlineData("Chat", new byte[] { 0, 0, 0, 0, 3, 0x0a, 1, 5, 0, 0, 0, 0, 9, 1 }, RpcStatusCode.Internal)]
    public async Task A_broken_body_is_refused_with_a_status(string method, byte[] body, RpcStatusCode expected)
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();

        using HttpResponseMessage response = await PostAsync(rpc.Server.Address, $"/addernet.test.Echo/{method}", body);
        await response.Content.ReadAsByteArrayAsync();

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(expected, StatusOf(response));
        Assert.Equal(Messages.Of(1), await rpc.Channel.UnaryAsync(EchoMethods.Say, Messages.Of(1)));
    }

    [Theory]
    [InlineData("text/plain", "/addernet.test.Echo/Say", 415)]
    [InlineData("application/grpc+json", "/addernet.test.Echo/Say", 415)]
    [InlineData("application/grpc-web", "/addernet.test.Echo/Say", 415)]
    [InlineData("application/grpc+json", "/addernet.test.Echo/Nothing", 415)]
    [InlineData("text/plain", "/addernet.test.Echo/Nothing", 404)]
    [InlineData("application/grpc+proto", "/addernet.test.Echo/Say", 200)]
    public async Task Another_content_type_is_refused(string contentType, string path, int expected)
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();

        using HttpResponseMessage response = await PostAsync(rpc.Server.Address, path, [0, 0, 0, 0, 0], contentType);

        Assert.Equal(expected, (int)response.StatusCode);
    }

    [Fact]
    public async Task A_call_over_HTTP_1_is_refused()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();

        using HttpResponseMessage response = await PostAsync(rpc.Server.Address, "/addernet.test.Echo/Say", [0, 0, 0, 0, 0], version: HttpVersion.Version11);

        Assert.Equal(HttpStatusCode.UpgradeRequired, response.StatusCode);
    }

    [Theory]
    [InlineData("grpc-timeout", "soon")]
    [InlineData("grpc-timeout", "-5S")]
    [InlineData("grpc-timeout", "123456789S")]
    [InlineData("grpc-timeout", "5")]
    [InlineData("x-bin", "*not base64*")]
    public async Task A_header_that_makes_no_sense_is_refused_and_named(string name, string value)
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();

        using HttpResponseMessage response = await PostAsync(rpc.Server.Address, "/addernet.test.Echo/Say", [0, 0, 0, 0, 0], header: (name, value));

        Assert.Equal(RpcStatusCode.Internal, StatusOf(response));
        Assert.Contains(name, response.Headers.GetValues("grpc-message").Single());
    }

    [Fact]
    public async Task A_traceparent_that_makes_no_sense_is_ignored()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();

        using HttpResponseMessage response = await PostAsync(rpc.Server.Address, "/addernet.test.Echo/Say", [0, 0, 0, 0, 0], header: ("traceparent", "00-zz"));
        await response.Content.ReadAsByteArrayAsync();

        Assert.Equal(RpcStatusCode.Ok, StatusOf(response));
    }

    [Fact]
    public async Task Random_bodies_always_end_in_a_status()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();
        string[] methods = ["Say", "Join", "Chat"];
        uint seed = 1;
        var seen = new HashSet<RpcStatusCode>();

        for (int i = 0; i < 300; i++)
        {
            byte[] body = RandomBytes(ref seed, 1 + (int)(seed >> 8) % 64);
            if (i % 2 == 0 && body.Length > 4)
                body.AsSpan(0, 4).Clear(); // a believable prefix, so that half of them get beyond it
            using HttpResponseMessage response = await PostAsync(rpc.Server.Address, $"/addernet.test.Echo/{methods[i % 3]}", body).WaitAsync(Patience);
            await response.Content.ReadAsByteArrayAsync().WaitAsync(Patience);
            seen.Add(StatusOf(response));
        }

        Assert.Contains(RpcStatusCode.Internal, seen);
        Assert.Contains(RpcStatusCode.ResourceExhausted, seen);
        Assert.Equal(Messages.Of(1), await rpc.Channel.UnaryAsync(EchoMethods.Say, Messages.Of(1)));
    }

    [Fact]
    public async Task Garbage_on_the_socket_closes_that_connection_and_no_other()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();
        uint seed = 7;

        for (int i = 0; i < 40; i++)
        {
            using RawHttp2 raw = await RawHttp2.ConnectAsync(rpc.Server.Address.Port, preface: i % 2 == 0);
            await raw.SendAsync(RandomBytes(ref seed, 200));
            raw.EndSending();
            await raw.ReadToEndAsync().WaitAsync(Patience);
        }

        Assert.Equal(Messages.Of(1), await rpc.Channel.UnaryAsync(EchoMethods.Say, Messages.Of(1)));
    }

    [Theory]
    [InlineData(0x0, 0, 1)] // DATA on a stream never opened
    [InlineData(0x1, 0, 0)] // HEADERS on stream 0
    [InlineData(0x4, 0, 5)] // SETTINGS on a stream
    [InlineData(0x9, 4, 1)] // CONTINUATION of nothing
    [InlineData(0x8, 0, 0)] // WINDOW_UPDATE of no length
    public async Task A_frame_against_the_protocol_closes_the_connection(byte type, byte flags, int stream)
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();
        using RawHttp2 raw = await RawHttp2.ConnectAsync(rpc.Server.Address.Port, preface: true);

        await raw.SendFrameAsync(type, flags, stream, []);

        await raw.ReadToEndAsync().WaitAsync(Patience);
        Assert.Equal(Messages.Of(1), await rpc.Channel.UnaryAsync(EchoMethods.Say, Messages.Of(1)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_handler_learns_that_its_client_vanished_in_the_middle_of_a_message(bool reset)
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();
        using RawHttp2 raw = await RawHttp2.ConnectAsync(rpc.Server.Address.Port, preface: true);
        await raw.SendCallAsync(stream: 1, "/addernet.test.Echo/Chat");
        await raw.SendFrameAsync(type: 0, flags: 0, stream: 1, [0, 0, 0, 0, 5, 0x0a, 3, 70, 71, 72]);
        await raw.ReadUntilAsync([70, 71, 72]).WaitAsync(Patience);
        await raw.SendFrameAsync(type: 0, flags: 0, stream: 1, [0, 0, 0, 1, 0, 42]);

        if (reset)
            await raw.SendFrameAsync(type: 3, flags: 0, stream: 1, [0, 0, 0, 8]);
        else
            raw.Dispose();

        Assert.Equal("gone", await rpc.Echo.NextEventAsync());
    }

    private static async Task<HttpResponseMessage> PostAsync(
        Uri address, string path, byte[] body, string contentType = "application/grpc", (string Name, string Value)? header = null, Version? version = null)
    {
        using var http = new HttpMessageInvoker(new SocketsHttpHandler());
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(address, path))
        {
            Version = version ?? HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(body) { Headers = { ContentType = MediaTypeHeaderValue.Parse(contentType) } },
        };
        if (header is { } h)
            request.Headers.TryAddWithoutValidation(h.Name, h.Value);
        HttpResponseMessage response = await http.SendAsync(request, CancellationToken.None).WaitAsync(Patience);
        await response.Content.LoadIntoBufferAsync();
        return response;
    }

    private static RpcStatusCode StatusOf(HttpResponseMessage response)
    {
        HttpResponseHeaders from = response.Headers.Contains("grpc-status") ? response.Headers : response.TrailingHeaders;
        return (RpcStatusCode)int.Parse(from.GetValues("grpc-status").Single());
    }

    private static byte[] RandomBytes(ref uint seed, int count)
    {
        byte[] bytes = new byte[count];
        for (int i = 0; i < count; i++)
        {
            seed = seed * 1664525 + 1013904223;
            bytes[i] = (byte)(seed >> 24);
        }
        return bytes;
    }
}
