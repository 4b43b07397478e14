using AdderNet.Protos.Rpc;
using Google.Protobuf.WellKnownTypes;
using Xunit;

namespace AdderNet.Protos.Tests.Rpc;

public sealed class LimitTests
{
    [Theory]
    [InlineData(100_000)]
    [InlineData(1_000_000)]
    [InlineData(3_900_000)]
    public async Task A_large_message_goes_there_and_back(int size)
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();

        Assert.Equal(Messages.OfSize(size), await rpc.Channel.UnaryAsync(EchoMethods.Say, Messages.OfSize(size)));
    }

    [Fact]
    public async Task Large_messages_stream_both_ways_through_small_windows()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync(
            server: o => o with { StreamWindowBytes = 65_536, ConnectionWindowBytes = 65_536 },
            channel: new RpcChannelOptions { StreamWindowBytes = 65_536 });
        await using RpcDuplexCall<BytesValue, BytesValue> call = rpc.Channel.Duplex(EchoMethods.Chat);
        BytesValue sent = Messages.OfSize(3_000_000);

        async Task Write()
        {
            for (int i = 0; i < 4; i++)
                await call.WriteAsync(sent);
            await call.CompleteAsync();
        }
        Task writing = Write();
        int heard = 0;
        await foreach (BytesValue m in call.ReadAllAsync())
        {
            Assert.Equal(sent, m);
            heard++;
        }
        await writing;

        Assert.Equal(4, heard);
    }

    [Fact]
    public async Task A_request_beyond_the_limit_is_refused_and_the_connection_lives_on()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();

        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => rpc.Channel.UnaryAsync(EchoMethods.Say, Messages.OfSize(5_000_000)));

        Assert.Equal((RpcStatusCode.ResourceExhausted, "a message of 5000005 bytes is larger than the limit of 4194304"), (refused.Code, refused.Detail));
        Assert.Equal(Messages.Of(1), await rpc.Channel.UnaryAsync(EchoMethods.Say, Messages.Of(1)));
    }

    [Fact]
    public async Task A_service_sets_its_own_limit()
    {
        await using RpcFixture large = await RpcFixture.StartAsync(service: new EchoService(maxReceive: 6_000_000), channel: new RpcChannelOptions { MaxReceiveMessageBytes = 6_000_000 });
        await using RpcFixture small = await RpcFixture.StartAsync(service: new EchoService(maxReceive: 1000));

        Assert.Equal(Messages.OfSize(5_000_000), await large.Channel.UnaryAsync(EchoMethods.Say, Messages.OfSize(5_000_000)));
        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => small.Channel.UnaryAsync(EchoMethods.Say, Messages.OfSize(1000)));

        Assert.Equal((RpcStatusCode.ResourceExhausted, "a message of 1003 bytes is larger than the limit of 1000"), (refused.Code, refused.Detail));
    }

    [Fact]
    public async Task A_response_beyond_the_callers_limit_is_refused_by_the_caller()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();

        RpcException refused = await Assert.ThrowsAsync<RpcException>(
            () => rpc.Channel.UnaryAsync(EchoMethods.Say, Messages.OfSize(50_000), new RpcCallOptions { MaxReceiveMessageBytes = 10_000 }));

        Assert.Equal(RpcStatusCode.ResourceExhausted, refused.Code);
    }
}
