using AdderNet.Protos.Rpc;
using Google.Protobuf.WellKnownTypes;
using Xunit;

namespace AdderNet.Protos.Tests.Rpc;

public sealed class KeepAliveTests
{
    private static readonly TimeSpan Delay = TimeSpan.FromSeconds(1);

    /// <summary>Longer than a busy machine keeps an answer waiting before the wire is frozen.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task Both_sides_notice_a_wire_that_went_dead_without_being_closed()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync(server: o => o with { KeepAlivePingDelay = Delay, KeepAlivePingTimeout = Patience });
        await using var wire = new FreezableProxy(rpc.Server.Address.Port);
        await using RpcChannel channel = RpcChannel.Create(wire.Address, new RpcChannelOptions { KeepAlivePingDelay = Delay, KeepAlivePingTimeout = Patience });
        await using RpcDuplexCall<BytesValue, BytesValue> call = channel.Duplex(EchoMethods.Chat);
        await using IAsyncEnumerator<BytesValue> answers = call.ReadAllAsync().GetAsyncEnumerator();
        await call.WriteAsync(Messages.Of(1));
        Assert.True(await answers.MoveNextAsync());

        wire.Freeze();

        RpcException lost = await Assert.ThrowsAsync<RpcException>(() => answers.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(1)));
        Assert.Equal(RpcStatusCode.Unavailable, lost.Code);
        Assert.Equal("gone", await rpc.Echo.NextEventAsync());
    }
}
