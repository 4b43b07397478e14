using AdderNet.Protos.Rpc;
using AdderNet.Protos.V1;
using AdderNet.Worker.Exchange;
using AdderNet.Worker.Membership;
using AdderNet.Worker.Transfer;
using Google.Protobuf;
using Xunit;

namespace AdderNet.Worker.Tests.Transfer;

public sealed class StateDownloadTest : IAsyncLifetime
{
    private readonly byte[] state = [.. Enumerable.Range(0, 3_000_000).Select(i => (byte)(i * 7))];
    private readonly List<RpcServer> servers = [];
    private readonly List<MemberInfo> sources = [];
    private readonly PeerChannels channels = new(null);
    private int chunks;
    private readonly CancellationTokenSource limit = new(TimeSpan.FromMinutes(2));

    [Fact]
    public async Task A_state_arrives_whole()
    {
        await ServeAsync(Shelf(5, state));
        Assert.Equal(state, await FetchAsync());
    }

    [Fact]
    public async Task When_a_source_dies_the_next_goes_on_where_it_stopped()
    {
        await ServeAsync(new DyingSource(state, 1 << 20));
        await ServeAsync(Shelf(5, state));
        Assert.Equal(state, await FetchAsync());

        // Three chunks in all: one from the source that died, two from the other.
        Assert.Equal(3, chunks);
    }

    [Fact]
    public async Task When_the_next_source_has_other_bytes_the_download_starts_over()
    {
        await ServeAsync(new DyingSource([.. state.Select(b => (byte)(b ^ 1))], 1 << 20));
        await ServeAsync(Shelf(5, state));
        Assert.Equal(state, await FetchAsync());
    }

    [Fact]
    public async Task A_source_that_sends_damaged_bytes_is_passed_over()
    {
        await ServeAsync(new DyingSource(state, state.Length, damage: true));
        await ServeAsync(Shelf(5, state));
        Assert.Equal(state, await FetchAsync());
    }

    [Fact]
    public async Task When_no_source_has_the_step_each_ones_reason_is_told()
    {
        await ServeAsync(Shelf(4, state));
        var moved = Shelf(5, state);
        moved.Withdraw();
        await ServeAsync(moved);
        var error = await Assert.ThrowsAsync<PeerException>(FetchAsync);
        Assert.Contains("s0: this member is at step 4, not 5", error.Message, StringComparison.Ordinal);
        Assert.Contains("s1: this member has left step 5", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_download_waits_for_a_source_that_has_not_reached_the_base_yet()
    {
        var shelf = new SnapshotShelf(TimeProvider.System, TimeSpan.FromSeconds(20));
        await ServeAsync(shelf);
        var fetch = FetchAsync();
        shelf.BeginGeneration("r", 2);
        Assert.False(fetch.IsCompleted);
        shelf.Offer(() => new Snapshot(5, state));
        Assert.Equal(state, await fetch);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await channels.DisposeAsync();
        foreach (var server in servers)
            await server.DisposeAsync();
        limit.Dispose();
    }

    private static SnapshotShelf Shelf(long step, byte[] bytes)
    {
        var shelf = new SnapshotShelf(TimeProvider.System, TimeSpan.FromSeconds(20));
        shelf.BeginGeneration("r", 2);
        shelf.Offer(() => new Snapshot(step, bytes));
        return shelf;
    }

    private Task ServeAsync(SnapshotShelf shelf) => ServeAsync(new StateTransferService(shelf));

    private async Task ServeAsync(IRpcService service)
    {
        var server = await RpcServer.StartAsync(new RpcServerOptions { Listen = new Uri("http://127.0.0.1:0"), Services = [service] });
        sources.Add(new MemberInfo($"s{servers.Count}", server.Address.ToString(), default, true));
        servers.Add(server);
    }

    private Task<byte[]> FetchAsync()
    {
        var view = new GenerationView("r", 2, sources, 5, 0, [], "", "");
        return new StateDownload(channels, 4_000_000, () => chunks++).FetchAsync(view, sources, limit.Token);
    }

    /// <summary>Sends a part of a state and then fails, or sends all of it with one byte changed.</summary>
    private sealed class DyingSource(byte[] state, int bytes, bool damage = false) : IRpcService
    {
        public void Bind(RpcServiceBinder binder) => binder.ServerStreaming(StateTransferMethods.Download, async (_, writer, context) =>
        {
            var whole = new Snapshot(5, state);
            var sent = state.ToArray();
            sent[17] ^= (byte)(damage ? 1 : 0);
            for (var offset = 0; offset < bytes; offset += 1 << 20)
            {
                var data = ByteString.CopyFrom(sent, offset, Math.Min(1 << 20, bytes - offset));
                await writer.WriteAsync(
                    new StateChunk { Offset = (ulong)offset, Data = data, TotalBytes = offset == 0 ? (ulong)state.Length : 0, Sha256 = offset == 0 ? whole.Sha256 : "" },
                    context.CancellationToken);
            }

            if (bytes < state.Length)
                throw new RpcException(RpcStatusCode.Unavailable, "the source died");
        });
    }
}
