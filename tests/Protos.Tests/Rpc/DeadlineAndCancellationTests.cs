using AdderNet.Protos.Rpc;
using Google.Protobuf.WellKnownTypes;
using Xunit;

namespace AdderNet.Protos.Tests.Rpc;

public sealed class DeadlineAndCancellationTests
{
    private static readonly RpcCallOptions AMinute = new() { Deadline = TimeSpan.FromMinutes(1) };

    [Fact]
    public async Task A_deadline_ends_the_call_and_cancels_the_handler()
    {
        var clock = new ManualTime();
        await using RpcFixture rpc = await RpcFixture.StartAsync(channel: new RpcChannelOptions { TimeProvider = clock });
        Task<BytesValue> call = rpc.Channel.UnaryAsync(EchoMethods.Hang, Messages.Of(1), AMinute);
        Assert.Equal("hanging", await rpc.Echo.NextEventAsync());

        clock.Advance(TimeSpan.FromMinutes(1));

        RpcException late = await Assert.ThrowsAsync<RpcException>(() => call);
        Assert.Equal((RpcStatusCode.DeadlineExceeded, "addernet.test.Echo/Hang did not end within 00:01:00"), (late.Code, late.Detail));
        Assert.Equal("cancelled", await rpc.Echo.NextEventAsync());
    }

    [Fact]
    public async Task The_server_enforces_the_deadline_by_its_own_clock()
    {
        var clock = new ManualTime();
        await using RpcFixture rpc = await RpcFixture.StartAsync(server: o => o with { TimeProvider = clock });
        Task<BytesValue> call = rpc.Channel.UnaryAsync(EchoMethods.Hang, Messages.Of(1), AMinute);
        Assert.Equal("hanging", await rpc.Echo.NextEventAsync());
        Assert.Equal(clock.GetUtcNow() + TimeSpan.FromMinutes(1), rpc.Echo.Last!.Deadline);

        clock.Advance(TimeSpan.FromMinutes(1));

        RpcException late = await Assert.ThrowsAsync<RpcException>(() => call);
        Assert.Equal((RpcStatusCode.DeadlineExceeded, "addernet.test.Echo/Hang did not end within the client's deadline"), (late.Code, late.Detail));
        Assert.Equal("cancelled", await rpc.Echo.NextEventAsync());
    }

    [Fact]
    public async Task A_call_without_a_deadline_has_none_at_the_server()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();

        await rpc.Channel.UnaryAsync(EchoMethods.Say, Messages.Of(1));

        Assert.Null(rpc.Echo.Last!.Deadline);
    }

    [Fact]
    public async Task A_deadline_already_past_ends_the_call_at_once()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();

        RpcException late = await Assert.ThrowsAsync<RpcException>(
            () => rpc.Channel.UnaryAsync(EchoMethods.Say, Messages.Of(1), new RpcCallOptions { Deadline = TimeSpan.FromSeconds(-1) }));

        Assert.Equal(RpcStatusCode.DeadlineExceeded, late.Code);
    }

    [Fact]
    public async Task A_deadline_ends_a_stream_that_waits_for_its_next_message()
    {
        var clock = new ManualTime();
        await using RpcFixture rpc = await RpcFixture.StartAsync(channel: new RpcChannelOptions { TimeProvider = clock });
        await using RpcDuplexCall<BytesValue, BytesValue> call = rpc.Channel.Duplex(EchoMethods.Chat, AMinute);
        await call.WriteAsync(Messages.Of(1));
        await using IAsyncEnumerator<BytesValue> answers = call.ReadAllAsync().GetAsyncEnumerator();
        Assert.True(await answers.MoveNextAsync());
        ValueTask<bool> next = answers.MoveNextAsync();

        clock.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(RpcStatusCode.DeadlineExceeded, (await Assert.ThrowsAsync<RpcException>(async () => await next)).Code);
        Assert.Equal("gone", await rpc.Echo.NextEventAsync());
        Assert.Equal(RpcStatusCode.DeadlineExceeded, (await Assert.ThrowsAsync<RpcException>(() => call.WriteAsync(Messages.Of(2)))).Code);
    }

    [Fact]
    public async Task A_cancelled_caller_gets_a_cancellation_and_the_handler_is_cancelled()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();
        using var cancel = new CancellationTokenSource();
        Task<BytesValue> call = rpc.Channel.UnaryAsync(EchoMethods.Hang, Messages.Of(1), cancellationToken: cancel.Token);
        Assert.Equal("hanging", await rpc.Echo.NextEventAsync());

        await cancel.CancelAsync();

        OperationCanceledException cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.Equal(cancel.Token, cancelled.CancellationToken);
        Assert.Equal("cancelled", await rpc.Echo.NextEventAsync());
    }

    [Fact]
    public async Task A_cancelled_read_cancels_the_call_at_the_server()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();
        await using RpcDuplexCall<BytesValue, BytesValue> call = rpc.Channel.Duplex(EchoMethods.Chat);
        using var cancel = new CancellationTokenSource();
        await call.WriteAsync(Messages.Of(1));
        await using IAsyncEnumerator<BytesValue> answers = call.ReadAllAsync(cancel.Token).GetAsyncEnumerator(CancellationToken.None);
        Assert.True(await answers.MoveNextAsync());
        ValueTask<bool> next = answers.MoveNextAsync();

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await next);
        Assert.Equal("gone", await rpc.Echo.NextEventAsync());
    }

    [Fact]
    public async Task Leaving_a_duplex_call_ends_it_at_the_server_though_nobody_reads()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();
        RpcDuplexCall<BytesValue, BytesValue> call = rpc.Channel.Duplex(EchoMethods.Chat);
        await call.WriteAsync(Messages.Of(1));

        await call.DisposeAsync();

        Assert.Equal("gone", await rpc.Echo.NextEventAsync());
        await Assert.ThrowsAsync<RpcException>(() => call.WriteAsync(Messages.Of(2)));
    }

    [Fact]
    public async Task Leaving_a_server_stream_early_stops_the_handler()
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using RpcFixture rpc = await RpcFixture.StartAsync(server: o => o with { Services = [new Endless(stopped)] });

        await foreach (BytesValue _ in rpc.Channel.ServerStreamAsync(EchoMethods.Count, Messages.Of(1)))
            break;

        await stopped.Task.WaitAsync(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_writer_is_held_back_by_a_reader_who_does_not_read()
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var endless = new Endless(stopped);
        await using RpcFixture rpc = await RpcFixture.StartAsync(
            server: o => o with { Services = [endless] }, channel: new RpcChannelOptions { StreamWindowBytes = 64 * 1024 });

        await foreach (BytesValue _ in rpc.Channel.ServerStreamAsync(EchoMethods.Count, Messages.Of(1)))
        {
            // Windows, pipes and socket buffers hold some megabytes; then the writer must stand still while other calls come and go.
            int written;
            do
            {
                written = endless.Written;
                Assert.InRange(written, 0, 4000);
                for (int i = 0; i < 100; i++)
                    await rpc.Channel.UnaryAsync(EchoMethods.Say, Messages.Of(1));
            }
            while (endless.Written != written || written == 0);
            break;
        }
        await stopped.Task.WaitAsync(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task Closing_the_channel_ends_its_calls()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();
        Task<BytesValue> call = rpc.Channel.UnaryAsync(EchoMethods.Hang, Messages.Of(1));
        Assert.Equal("hanging", await rpc.Echo.NextEventAsync());

        await rpc.Channel.DisposeAsync();

        Assert.Equal(RpcStatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => call)).Code);
        Assert.Equal("cancelled", await rpc.Echo.NextEventAsync());
    }

    private sealed class Endless(TaskCompletionSource stopped) : IRpcService
    {
        private int _written;

        public int Written => Volatile.Read(ref _written);

        public void Bind(RpcServiceBinder binder)
        {
            binder.Unary(EchoMethods.Say, (request, _) => Task.FromResult(request));
            binder.ServerStreaming(EchoMethods.Count, WriteAsync);
        }

        private async Task WriteAsync(BytesValue request, IRpcWriter<BytesValue> responses, RpcServerContext context)
        {
            try
            {
                while (true)
                {
                    await responses.WriteAsync(Messages.OfSize(10_000), context.CancellationToken);
                    Interlocked.Increment(ref _written);
                }
            }
            catch (OperationCanceledException)
            {
                stopped.SetResult();
                throw;
            }
        }
    }
}
