using AdderNet.Protos.Rpc;
using Google.Protobuf.WellKnownTypes;
using Xunit;

namespace AdderNet.Protos.Tests.Rpc;

public sealed class DeadlineAndCancellationTests
{
    [Fact]
    public async Task A_deadline_ends_the_call_and_cancels_the_handler()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();

        RpcException late = await Assert.ThrowsAsync<RpcException>(
            () => rpc.Channel.UnaryAsync(EchoMethods.Hang, Messages.Of(1), new RpcCallOptions { Deadline = TimeSpan.FromMilliseconds(200) }));

        Assert.Equal(RpcStatusCode.DeadlineExceeded, late.Code);
        Assert.Equal("hanging", await rpc.Echo.NextEventAsync());
        Assert.Equal("cancelled", await rpc.Echo.NextEventAsync());
    }

    [Fact]
    public async Task The_handler_knows_the_callers_deadline()
    {
        var clock = new FrozenTime(new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero));
        await using RpcFixture rpc = await RpcFixture.StartAsync(server: o => o with { TimeProvider = clock });

        await rpc.Channel.UnaryAsync(EchoMethods.Say, Messages.Of(1), new RpcCallOptions { Deadline = TimeSpan.FromMinutes(2) });
        DateTimeOffset? told = rpc.Echo.Last!.Deadline;
        await rpc.Channel.UnaryAsync(EchoMethods.Say, Messages.Of(1));

        Assert.Equal(new DateTimeOffset(2030, 1, 2, 3, 6, 5, TimeSpan.Zero), told);
        Assert.Null(rpc.Echo.Last.Deadline);
    }

    [Fact]
    public async Task The_server_enforces_the_deadline_when_the_clients_clock_stands_still()
    {
        var frozen = new FrozenTime(DateTimeOffset.UnixEpoch);
        await using RpcFixture rpc = await RpcFixture.StartAsync(channel: new RpcChannelOptions { TimeProvider = frozen });

        RpcException late = await Assert.ThrowsAsync<RpcException>(
            () => rpc.Channel.UnaryAsync(EchoMethods.Hang, Messages.Of(1), new RpcCallOptions { Deadline = TimeSpan.FromMilliseconds(200) }));

        Assert.Equal((RpcStatusCode.DeadlineExceeded, "addernet.test.Echo/Hang did not end within the client's deadline"), (late.Code, late.Detail));
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
        await using RpcFixture rpc = await RpcFixture.StartAsync();
        await using RpcDuplexCall<BytesValue, BytesValue> call = rpc.Channel.Duplex(EchoMethods.Chat, new RpcCallOptions { Deadline = TimeSpan.FromMilliseconds(300) });
        await call.WriteAsync(Messages.Of(1));
        var heard = new List<BytesValue>();

        RpcException late = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            await foreach (BytesValue m in call.ReadAllAsync())
                heard.Add(m);
        });

        Assert.Equal(RpcStatusCode.DeadlineExceeded, late.Code);
        Assert.Single(heard);
        Assert.Equal("gone", await rpc.Echo.NextEventAsync());
        await Assert.ThrowsAsync<RpcException>(() => call.WriteAsync(Messages.Of(2)));
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

        await stopped.Task.WaitAsync(TimeSpan.FromSeconds(20));
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
            int written;
            do
            {
                written = endless.Written;
                await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System);
            }
            while (endless.Written != written);
            // Windows, pipes and socket buffers hold some megabytes; an unbounded writer would be at hundreds by now.
            Assert.InRange(written, 1, 4000);
            break;
        }
        await stopped.Task.WaitAsync(TimeSpan.FromSeconds(20));
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

        public void Bind(RpcServiceBinder binder) => binder.ServerStreaming(EchoMethods.Count, async (_, responses, context) =>
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
        });
    }

    /// <summary>A clock that stands still: no timer of it ever fires.</summary>
    private sealed class FrozenTime(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new Never();

        private sealed class Never : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
