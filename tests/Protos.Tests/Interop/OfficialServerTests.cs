using AdderNet.Protos.Rpc;
using AdderNet.Protos.Tests.Rpc;
using Google.Protobuf.WellKnownTypes;
using Xunit;

namespace AdderNet.Protos.Tests.Interop;

/// <summary>A client of ours calls the official server for Node.</summary>
public sealed class OfficialServerTests : IAsyncLifetime
{
    private readonly ManualTime _clock = new();
    private NodePeer _server = null!;
    private RpcChannel _channel = null!;

    public async Task InitializeAsync()
    {
        _server = NodePeer.Start("server.js");
        _channel = RpcChannel.Create(new Uri($"http://127.0.0.1:{await _server.ReadLineAsync()}"), new RpcChannelOptions { TimeProvider = _clock });
    }

    public async Task DisposeAsync()
    {
        await _channel.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_unary_call_carries_metadata_both_ways()
    {
        RpcMetadata? headers = null;
        RpcMetadata? trailers = null;
        var options = new RpcCallOptions
        {
            Metadata = new RpcMetadata { { "asked", "by us" }, { "asked-bin", new byte[] { 1, 0, 254 } } },
            OnHeaders = m => headers = m,
            OnTrailers = m => trailers = m,
        };

        BytesValue answer = await _channel.UnaryAsync(EchoMethods.Say, Messages.Of(1, 2), options);

        Assert.Equal(Messages.Of(1, 2), answer);
        Assert.Equal("header", headers!.Text("early"));
        Assert.Equal("by us", trailers!.Text("late-asked"));
        Assert.Equal([1, 0, 254], trailers.Bytes("late-bin")!.Value.ToArray());
    }

    [Fact]
    public async Task A_server_stream_is_read_to_its_end()
    {
        Assert.Equal(Enumerable.Range(0, 250), (await CountAsync(250)).Select(m => (int)m.Value[0]));
    }

    [Fact]
    public async Task A_stream_that_fails_gives_its_messages_and_then_its_status()
    {
        var heard = new List<int>();

        RpcException failed = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            await foreach (BytesValue m in _channel.ServerStreamAsync(EchoMethods.Count, Messages.Of(3, 1)))
                heard.Add(m.Value[0]);
        });

        Assert.Equal((RpcStatusCode.DataLoss, "the rest is lost"), (failed.Code, failed.Detail));
        Assert.Equal([0, 1, 2], heard);
    }

    [Fact]
    public async Task A_client_stream_is_answered()
    {
        BytesValue joined = await _channel.ClientStreamAsync(EchoMethods.Join, Messages.Stream(Enumerable.Range(0, 100).Select(i => Messages.Of((byte)i))));

        Assert.Equal(Enumerable.Range(0, 100).Select(i => (byte)i), joined.Value.ToByteArray());
    }

    [Fact]
    public async Task A_duplex_call_talks_both_ways()
    {
        await using RpcDuplexCall<BytesValue, BytesValue> call = _channel.Duplex(EchoMethods.Chat);
        await using IAsyncEnumerator<BytesValue> answers = call.ReadAllAsync().GetAsyncEnumerator();
        for (byte i = 0; i < 50; i++)
        {
            await call.WriteAsync(Messages.Of(i));
            Assert.True(await answers.MoveNextAsync());
            Assert.Equal(i, answers.Current.Value[0]);
        }

        await call.CompleteAsync();

        Assert.False(await answers.MoveNextAsync());
    }

    [Fact]
    public async Task A_deadline_ends_the_call_on_both_sides()
    {
        Task<BytesValue> call = _channel.UnaryAsync(EchoMethods.Hang, Messages.Of(1), new RpcCallOptions { Deadline = TimeSpan.FromMinutes(1) });
        Assert.Equal("hanging", await _server.ReadLineAsync());

        _clock.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(RpcStatusCode.DeadlineExceeded, (await Assert.ThrowsAsync<RpcException>(() => call)).Code);
        Assert.Equal("cancelled", await _server.ReadLineAsync());
    }

    [Fact]
    public async Task A_cancelled_call_is_cancelled_at_the_server()
    {
        using var cancel = new CancellationTokenSource();
        Task<BytesValue> call = _channel.UnaryAsync(EchoMethods.Hang, Messages.Of(1), cancellationToken: cancel.Token);
        Assert.Equal("hanging", await _server.ReadLineAsync());

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.Equal("cancelled", await _server.ReadLineAsync());
    }

    [Fact]
    public async Task A_failure_brings_code_details_and_trailers()
    {
        RpcException failed = await Assert.ThrowsAsync<RpcException>(() => _channel.UnaryAsync(EchoMethods.Fail, Messages.Of(1)));

        Assert.Equal((RpcStatusCode.FailedPrecondition, "lo que falta: 100 % del año\n"), (failed.Code, failed.Detail));
        Assert.Equal("test", failed.Trailers.Text("cause"));
        Assert.Equal([0, 255, 7], failed.Trailers.Bytes("cause-bin")!.Value.ToArray());
        Assert.Equal([8, 9, 18, 0], failed.Trailers.Bytes("grpc-status-details-bin")!.Value.ToArray());
    }

    [Fact]
    public async Task A_response_beyond_our_limit_is_refused_here()
    {
        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => _channel.ClientStreamAsync(
            EchoMethods.Join, Messages.Stream([Messages.OfSize(3_000_000), Messages.OfSize(3_000_000)])));

        Assert.Equal((RpcStatusCode.ResourceExhausted, "a message of 6000005 bytes is larger than the limit of 4194304"), (refused.Code, refused.Detail));
    }

    [Fact]
    public async Task A_method_that_is_not_there_is_unimplemented()
        => Assert.Equal(RpcStatusCode.Unimplemented, (await Assert.ThrowsAsync<RpcException>(() => _channel.UnaryAsync(EchoMethods.Missing, Messages.Of(1)))).Code);

    [Fact]
    public async Task A_large_message_goes_there_and_back()
    {
        BytesValue sent = Messages.OfSize(3_900_000);

        Assert.Equal(sent, await _channel.UnaryAsync(EchoMethods.Say, sent));
    }

    [Fact]
    public async Task A_message_beyond_the_servers_limit_is_refused_by_it()
        => Assert.Equal(RpcStatusCode.ResourceExhausted,
            (await Assert.ThrowsAsync<RpcException>(() => _channel.UnaryAsync(EchoMethods.Say, Messages.OfSize(5 << 20)))).Code);

    private async Task<List<BytesValue>> CountAsync(byte messages)
    {
        var heard = new List<BytesValue>();
        await foreach (BytesValue m in _channel.ServerStreamAsync(EchoMethods.Count, Messages.Of(messages)))
            heard.Add(m);
        return heard;
    }
}
