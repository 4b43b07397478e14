using System.Buffers.Binary;
using Xunit;

namespace AdderNet.Protos.Tests.Rpc;

/// <summary>Clients that speak HTTP/2 against its spirit: their connection ends or stays without harm, and others are answered as before.</summary>
public sealed class HostileConnectionTests
{
    private const byte Data = 0, Headers = 1, Reset = 3, Settings = 4, Ping = 6, GoAway = 7, WindowUpdate = 8, Continuation = 9;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData("settings")]
    [InlineData("pings")]
    [InlineData("resets")]
    [InlineData("empty data")]
    [InlineData("headers without end")]
    public async Task A_flood_harms_nobody_else(string kind)
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();
        using RawHttp2 raw = await RawHttp2.ConnectAsync(rpc.Server.Address.Port, preface: true);
        Task drained = raw.ReadToEndAsync();

        if (kind is "empty data" or "headers without end")
            await raw.SendCallAsync(stream: 1, "/addernet.test.Echo/Chat");
        if (kind is "headers without end")
            await raw.SendFrameAsync(Headers, 0, 3, [0, 1, (byte)'a', 1, (byte)'b']);
        for (int i = 0; i < 5000; i++)
        {
            await (kind switch
            {
                "settings" => raw.SendFrameAsync(Settings, 0, 0, [0, 4, 0, 0, (byte)(i >> 8), (byte)i]),
                "pings" => raw.SendFrameAsync(Ping, 0, 0, new byte[8]),
                "empty data" => raw.SendFrameAsync(Data, 0, 1, []),
                "headers without end" => raw.SendFrameAsync(Continuation, 0, 3, [0, 1, (byte)'a', 1, (byte)'b']),
                _ => OpenAndResetAsync(raw, (2 * i) + 1),
            });
        }
        Assert.Equal(Messages.Of(1), await rpc.Channel.UnaryAsync(EchoMethods.Say, Messages.Of(1)).WaitAsync(Patience));
        raw.EndSending();

        await drained.WaitAsync(Patience);
        Assert.Equal(Messages.Of(2), await rpc.Channel.UnaryAsync(EchoMethods.Say, Messages.Of(2)).WaitAsync(Patience));
    }

    [Theory]
    [InlineData("window beyond 2^31", WindowUpdate, new byte[] { 0x7f, 0xff, 0xff, 0xff })]
    [InlineData("window of nothing", WindowUpdate, new byte[] { 0, 0, 0, 0 })]
    [InlineData("frame size", Settings, new byte[] { 0, 5, 0, 0, 0, 1 })]
    [InlineData("initial window", Settings, new byte[] { 0, 4, 0xff, 0xff, 0xff, 0xff })]
    [InlineData("half a setting", Settings, new byte[] { 0, 4, 0 })]
    [InlineData("short ping", Ping, new byte[] { 1 })]
    [InlineData("short goaway", GoAway, new byte[] { 1 })]
    public async Task A_frame_that_cannot_be_closes_its_connection(string what, byte type, byte[] payload)
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();
        using RawHttp2 raw = await RawHttp2.ConnectAsync(rpc.Server.Address.Port, preface: true);
        Task drained = raw.ReadToEndAsync();

        await raw.SendFrameAsync(type, 0, 0, payload);
        await raw.SendFrameAsync(type, 0, 0, payload);

        await drained.WaitAsync(Patience);
        Assert.True(Messages.Of(1).Equals(await rpc.Channel.UnaryAsync(EchoMethods.Say, Messages.Of(1)).WaitAsync(Patience)), what);
    }

    [Fact]
    public async Task Headers_beyond_all_measure_are_not_kept()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();
        using RawHttp2 raw = await RawHttp2.ConnectAsync(rpc.Server.Address.Port, preface: true);
        Task drained = raw.ReadToEndAsync();

        // One literal field, the value of which is said to be 1 MB long.
        byte[] field = [0, 1, (byte)'a', 0x7f, 0xc1, 0x83, 0x3d, .. new byte[16_000]];
        await raw.SendFrameAsync(Headers, 0, 1, field);
        for (int i = 0; i < 64; i++)
            await raw.SendFrameAsync(Continuation, 0, 1, new byte[16_000]);
        raw.EndSending();

        await drained.WaitAsync(Patience);
        Assert.Equal(Messages.Of(1), await rpc.Channel.UnaryAsync(EchoMethods.Say, Messages.Of(1)).WaitAsync(Patience));
    }

    [Fact]
    public async Task A_client_that_takes_nothing_holds_up_only_its_own_call_and_the_handler_learns_when_it_goes()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();
        RawHttp2 raw = await RawHttp2.ConnectAsync(rpc.Server.Address.Port, preface: true);
        await raw.SendFrameAsync(Settings, 0, 0, [0, 4, 0, 0, 0, 0]); // a window of nothing
        await raw.SendCallAsync(stream: 1, "/addernet.test.Echo/Chat");
        byte[] message = new byte[16_000];
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), message.Length - 5);
        message[5] = 0x0a;
        message[6] = 0xf8; // 15,992 bytes
        message[7] = 0x7c;
        for (int i = 0; i < 60; i++)
            await raw.SendFrameAsync(Data, 0, 1, message);

        Assert.Equal(Messages.Of(1), await rpc.Channel.UnaryAsync(EchoMethods.Say, Messages.Of(1)).WaitAsync(Patience));
        raw.Dispose();

        Assert.Equal("gone", await rpc.Echo.NextEventAsync());
    }

    [Fact]
    public async Task A_client_that_falls_silent_is_given_up()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync(server: o => o with { KeepAlivePingDelay = Second, KeepAlivePingTimeout = Second });
        using RawHttp2 raw = await RawHttp2.ConnectAsync(rpc.Server.Address.Port, preface: true);
        await raw.SendCallAsync(stream: 1, "/addernet.test.Echo/Chat");

        // Its pings are never answered: the socket is open, and nobody is there.
        await raw.ReadToEndAsync().WaitAsync(Patience);

        Assert.Equal("gone", await rpc.Echo.NextEventAsync());
    }

    private static async Task OpenAndResetAsync(RawHttp2 raw, int stream)
    {
        await raw.SendCallAsync(stream, "/addernet.test.Echo/Chat");
        await raw.SendFrameAsync(Reset, 0, stream, [0, 0, 0, 8]);
    }
}
