using System.Net;
using System.Net.Sockets;
using AdderNet.Protos.Rpc;
using Google.Protobuf.WellKnownTypes;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace AdderNet.Protos.Tests.Rpc;

public sealed class FailureTests
{
    [Fact]
    public async Task A_refusal_brings_code_detail_and_trailers()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();

        RpcException refused = await FailsAsync(rpc.Channel, EchoMethods.Fail);

        Assert.Equal((RpcStatusCode.FailedPrecondition, "lo que falta: 100 % del año\n"), (refused.Code, refused.Detail));
        Assert.Equal("test", refused.Trailers.Text("cause"));
        Assert.Equal([0, 255, 7], refused.Trailers.Bytes("cause-bin")!.Value.ToArray());
    }

    [Fact]
    public async Task A_handler_that_crashes_does_not_tell_its_secrets()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();

        RpcException failed = await FailsAsync(rpc.Channel, EchoMethods.Crash);

        Assert.Equal((RpcStatusCode.Unknown, "addernet.test.Echo/Crash failed with InvalidOperationException; the server's log says more"), (failed.Code, failed.Detail));
    }

    [Fact]
    public async Task Messages_sent_before_a_failure_are_received_and_then_the_failure()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();
        var heard = new List<int>();

        RpcException failed = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            await foreach (BytesValue m in rpc.Channel.ServerStreamAsync(EchoMethods.Count, Messages.Of(4, 1)))
                heard.Add(m.Value[0]);
        });

        Assert.Equal((RpcStatusCode.DataLoss, "the rest is lost"), (failed.Code, failed.Detail));
        Assert.Equal([0, 1, 2, 3], heard);
    }

    [Fact]
    public async Task A_method_that_is_not_there_is_unimplemented()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();

        RpcException missing = await FailsAsync(rpc.Channel, EchoMethods.Missing);

        Assert.Equal((RpcStatusCode.Unimplemented, "this server has no method addernet.test.Echo/Missing"), (missing.Code, missing.Detail));
    }

    [Fact]
    public async Task Nobody_listening_is_unavailable_and_names_the_address()
    {
        using var reserved = new Socket(SocketType.Stream, ProtocolType.Tcp);
        reserved.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        int port = ((IPEndPoint)reserved.LocalEndPoint!).Port;
        await using RpcChannel channel = RpcChannel.Create(new Uri($"http://127.0.0.1:{port}"));

        RpcException failed = await FailsAsync(channel, EchoMethods.Say);

        Assert.Equal(RpcStatusCode.Unavailable, failed.Code);
        Assert.StartsWith($"cannot reach http://127.0.0.1:{port}: ", failed.Detail);
    }

    [Fact]
    public async Task A_server_that_dies_in_the_middle_of_a_stream_is_unavailable()
    {
        RpcFixture rpc = await RpcFixture.StartAsync(server: o => o with { GracePeriod = TimeSpan.Zero });
        await using RpcDuplexCall<BytesValue, BytesValue> call = rpc.Channel.Duplex(EchoMethods.Chat);
        await using IAsyncEnumerator<BytesValue> answers = call.ReadAllAsync().GetAsyncEnumerator();
        await call.WriteAsync(Messages.Of(1));
        Assert.True(await answers.MoveNextAsync());

        await rpc.Server.DisposeAsync();

        RpcException failed = await Assert.ThrowsAsync<RpcException>(async () => await answers.MoveNextAsync());
        Assert.Equal(RpcStatusCode.Unavailable, failed.Code);
        await Assert.ThrowsAsync<RpcException>(() => call.WriteAsync(Messages.Of(2)));
        await rpc.DisposeAsync();
    }

    [Theory]
    [InlineData(400, RpcStatusCode.Internal)]
    [InlineData(401, RpcStatusCode.Unauthenticated)]
    [InlineData(403, RpcStatusCode.PermissionDenied)]
    [InlineData(404, RpcStatusCode.Unimplemented)]
    [InlineData(429, RpcStatusCode.Unavailable)]
    [InlineData(502, RpcStatusCode.Unavailable)]
    [InlineData(503, RpcStatusCode.Unavailable)]
    [InlineData(500, RpcStatusCode.Unknown)]
    [InlineData(302, RpcStatusCode.Unknown)]
    public async Task An_HTTP_status_without_gRPC_becomes_the_prescribed_code(int http, RpcStatusCode expected)
    {
        await using HttpImpostor impostor = await HttpImpostor.StartAsync(context =>
        {
            context.Response.StatusCode = http;
            return Task.CompletedTask;
        });

        RpcException failed = await FailsAsync(impostor.Channel, EchoMethods.Say);

        Assert.Equal(expected, failed.Code);
        Assert.Contains(http.ToString(), failed.Detail);
    }

    [Fact]
    public async Task A_web_page_instead_of_gRPC_is_an_error()
    {
        await using HttpImpostor impostor = await HttpImpostor.StartAsync(context =>
        {
            context.Response.ContentType = "text/html";
            return context.Response.WriteAsync("<p>hello</p>");
        });

        RpcException failed = await FailsAsync(impostor.Channel, EchoMethods.Say);

        Assert.Equal(RpcStatusCode.Unknown, failed.Code);
        Assert.Contains("text/html", failed.Detail);
    }

    [Fact]
    public async Task A_response_without_a_status_is_an_error()
    {
        await using HttpImpostor impostor = await HttpImpostor.StartAsync(context =>
        {
            context.Response.ContentType = "application/grpc";
            return context.Response.Body.WriteAsync(new byte[] { 0, 0, 0, 0, 0 }).AsTask();
        });

        Assert.Equal(RpcStatusCode.Internal, (await FailsAsync(impostor.Channel, EchoMethods.Say)).Code);
    }

    [Theory]
    [InlineData(new byte[] { 0, 0, 0, 0, 9, 1, 2 }, RpcStatusCode.Internal)]
    [InlineData(new byte[] { 0, 0, 0 }, RpcStatusCode.Internal)]
    [InlineData(new byte[] { 1, 0, 0, 0, 0 }, RpcStatusCode.Unimplemented)]
    [InlineData(new byte[] { 7, 0, 0, 0, 0 }, RpcStatusCode.Internal)]
    [InlineData(new byte[] { 0, 0x7f, 0xff, 0xff, 0xff, 1 }, RpcStatusCode.ResourceExhausted)]
    [InlineData(new byte[] { 0, 0xff, 0xff, 0xff, 0xff, 1 }, RpcStatusCode.ResourceExhausted)]
    [InlineData(new byte[] { 0, 0, 0, 0, 2, 0xff, 0xff }, RpcStatusCode.Internal)]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, RpcStatusCode.Unimplemented)]
    [InlineData(new byte[0], RpcStatusCode.Unimplemented)]
    public async Task A_servers_broken_body_is_an_error_and_not_a_crash(byte[] body, RpcStatusCode expected)
    {
        await using HttpImpostor impostor = await HttpImpostor.StartAsync(async context =>
        {
            context.Response.ContentType = "application/grpc";
            await context.Response.Body.WriteAsync(body);
            context.Response.AppendTrailer("grpc-status", "0");
        });

        Assert.Equal(expected, (await FailsAsync(impostor.Channel, EchoMethods.Say)).Code);
    }

    [Fact]
    public async Task Contracts_are_bound_as_they_are_declared()
    {
        var wrongKind = new Bound(binder => binder.Duplex(EchoMethods.Say, (_, _, _) => Task.CompletedTask));
        var twice = new Bound(binder =>
        {
            binder.Unary(EchoMethods.Say, (m, _) => Task.FromResult(m));
            binder.Unary(EchoMethods.Say, (m, _) => Task.FromResult(m));
        });

        Assert.Contains("Unary", (await Assert.ThrowsAsync<ArgumentException>(() => RpcFixture.StartAsync(o => o with { Services = [wrongKind] }))).Message);
        Assert.Contains("twice", (await Assert.ThrowsAsync<ArgumentException>(() => RpcFixture.StartAsync(o => o with { Services = [twice] }))).Message);
    }

    private static Task<RpcException> FailsAsync(RpcChannel channel, RpcMethod<BytesValue, BytesValue> method)
        => Assert.ThrowsAsync<RpcException>(() => channel.UnaryAsync(method, Messages.Of(1)));

    private sealed class Bound(Action<RpcServiceBinder> bind) : IRpcService
    {
        public void Bind(RpcServiceBinder binder) => bind(binder);
    }
}
