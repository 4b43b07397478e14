using AdderNet.Protos.Rpc;
using Google.Protobuf.WellKnownTypes;
using Xunit;

namespace AdderNet.Protos.Tests.Rpc;

public sealed class CallKindTests
{
    [Fact]
    public async Task A_unary_call_gives_back_what_the_service_answered()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();

        BytesValue answer = await rpc.Channel.UnaryAsync(EchoMethods.Say, Messages.Of(1, 2, 3));

        Assert.Equal(Messages.Of(1, 2, 3), answer);
    }

    [Fact]
    public async Task An_empty_message_is_a_message()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();

        Assert.Equal(new BytesValue(), await rpc.Channel.UnaryAsync(EchoMethods.Say, new BytesValue()));
    }

    [Fact]
    public async Task A_server_stream_arrives_whole_and_in_order()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();

        var received = new List<byte>();
        await foreach (BytesValue part in rpc.Channel.ServerStreamAsync(EchoMethods.Count, Messages.Of(200)))
            received.Add(part.Value[0]);

        Assert.Equal(Enumerable.Range(0, 200).Select(i => (byte)i), received);
    }

    [Fact]
    public async Task A_client_stream_is_read_whole_and_answered_once()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();
        IEnumerable<BytesValue> parts = Enumerable.Range(0, 100).Select(i => Messages.Of((byte)i));

        BytesValue joined = await rpc.Channel.ClientStreamAsync(EchoMethods.Join, Messages.Stream(parts));

        Assert.Equal(Enumerable.Range(0, 100).Select(i => (byte)i), joined.Value.ToByteArray());
    }

    [Fact]
    public async Task A_client_stream_refused_in_the_middle_ends_with_the_services_status()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();
        IEnumerable<BytesValue> parts = Enumerable.Range(0, 5000).Select(i => i == 3 ? new BytesValue() : Messages.OfSize(2000));

        RpcException refused = await Assert.ThrowsAsync<RpcException>(
            () => rpc.Channel.ClientStreamAsync(EchoMethods.Join, Messages.Stream(parts)));

        Assert.Equal((RpcStatusCode.InvalidArgument, "an empty part"), (refused.Code, refused.Detail));
    }

    [Fact]
    public async Task On_a_duplex_call_each_side_hears_the_other_while_both_are_open()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();
        await using RpcDuplexCall<BytesValue, BytesValue> call = rpc.Channel.Duplex(EchoMethods.Chat);
        await using IAsyncEnumerator<BytesValue> answers = call.ReadAllAsync().GetAsyncEnumerator();

        for (byte i = 0; i < 50; i++)
        {
            await call.WriteAsync(Messages.Of(i));
            Assert.True(await answers.MoveNextAsync());
            Assert.Equal(i, answers.Current.Value[0]);
        }
        await call.CompleteAsync();

        Assert.False(await answers.MoveNextAsync());
        Assert.Equal("ended", await rpc.Echo.NextEventAsync());
    }

    [Fact]
    public async Task Messages_of_several_writers_on_one_duplex_call_do_not_mix()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();
        await using RpcDuplexCall<BytesValue, BytesValue> call = rpc.Channel.Duplex(EchoMethods.Chat);

        async Task WriteMany(byte writer)
        {
            byte[] payload = new byte[5000];
            Array.Fill(payload, writer);
            for (int i = 0; i < 40; i++)
                await call.WriteAsync(Messages.Of(payload));
        }
        Task writing = Task.WhenAll(Enumerable.Range(1, 4).Select(w => Task.Run(() => WriteMany((byte)w)))).ContinueWith(_ => call.CompleteAsync()).Unwrap();
        var counts = new int[5];
        await foreach (BytesValue answer in call.ReadAllAsync())
        {
            Assert.Equal(5000, answer.Value.Length);
            Assert.True(answer.Value.Span.IndexOfAnyExcept(answer.Value[0]) < 0);
            counts[answer.Value[0]]++;
        }
        await writing;

        Assert.Equal([0, 40, 40, 40, 40], counts);
    }

    [Fact]
    public async Task Hundreds_of_calls_at_once_are_all_answered()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();

        BytesValue[] answers = await Task.WhenAll(
            Enumerable.Range(0, 600).Select(i => rpc.Channel.UnaryAsync(EchoMethods.Say, Messages.Of((byte)i, (byte)(i >> 8)))));

        Assert.All(answers.Select((answer, i) => (answer, i)), a => Assert.Equal(Messages.Of((byte)a.i, (byte)(a.i >> 8)), a.answer));
    }
}
