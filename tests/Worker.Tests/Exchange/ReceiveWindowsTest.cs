using AdderNet.Core.Sharding;
using AdderNet.Protos.Rpc;
using AdderNet.Worker.Exchange;
using AdderNet.Worker.Membership;
using Xunit;

namespace AdderNet.Worker.Tests.Exchange;

public class ReceiveWindowsTest
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public void All_windows_of_a_worker_hold_at_most_256_MiB_whatever_the_number_of_its_neighbours()
    {
        for (var neighbours = 0; neighbours <= 1024; neighbours++)
        {
            var window = ReceiveWindows.OfStream(neighbours);
            Assert.InRange(window, 64 << 10, 16 << 20);
            Assert.InRange((long)window * ReceiveWindows.StreamsOfNeighbour * neighbours, 0, 256L << 20);
        }

        Assert.Equal((16 << 20, 4 << 20, 1 << 20, 64 << 10), (ReceiveWindows.OfStream(4), ReceiveWindows.OfStream(16), ReceiveWindows.OfStream(64), ReceiveWindows.OfStream(1024)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(1024)]
    public async Task A_neighbour_gets_rid_of_a_window_while_nobody_reads_and_of_no_more(int neighbours)
    {
        using var timeout = new CancellationTokenSource(Patience);
        var flood = new Flood();
        await using var server = await RpcServer.StartAsync(new RpcServerOptions { Listen = new Uri("http://127.0.0.1:0"), Services = [flood] }, timeout.Token);
        var member = new MemberInfo("w1", server.Address.ToString(), default, true);
        await using var channels = new PeerChannels(null) { Lease = Patience };
        channels.To(member); // as it was while there were fewer
        await channels.KeepAsync([.. Enumerable.Range(0, neighbours).Select(i => member with { WorkerId = $"n{i}" }), member]);

        await using var call = channels.To(member).Duplex(GradientExchangeMethods.PullWith(new PieceIntake()), null, timeout.Token);
        var window = ReceiveWindows.OfStream(neighbours);
        while (flood.Taken < window - Flood.Bytes)
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, timeout.Token);
        long before;
        do
        {
            before = flood.Taken;
            await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System, timeout.Token); // a slow machine only sees less of what would be too much
        }
        while (flood.Taken > before);

        // What the server keeps to itself before it makes its writer wait comes on top.
        Assert.InRange(before, window - Flood.Bytes, window + (512 << 10));
    }

    /// <summary>Sends as fast as it is taken.</summary>
    private sealed class Flood : IRpcService
    {
        public const int Bytes = 32 << 10;
        private long taken;

        public long Taken => Interlocked.Read(ref taken);

        public void Bind(RpcServiceBinder binder) => binder.Duplex(GradientExchangeMethods.PullWith(new PieceWriter()), async (_, writer, context) =>
        {
            var piece = new PieceMessage(new PieceId("run", 1, 1, PieceSort.Mean, 0), new TreeNodeId(0, 0), Bytes, 0, new byte[Bytes], null, Last: true);
            while (true)
            {
                await writer.WriteAsync(piece, context.CancellationToken);
                Interlocked.Add(ref taken, Bytes);
            }
        });
    }
}
