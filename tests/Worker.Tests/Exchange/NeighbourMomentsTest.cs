using System.Runtime.InteropServices;
using AdderNet.Core.Engine;
using AdderNet.Core.Sharding;
using AdderNet.Protos.Rpc;
using AdderNet.Protos.V1;
using AdderNet.Worker.Exchange;
using AdderNet.Worker.Membership;
using Google.Protobuf;
using Xunit;

namespace AdderNet.Worker.Tests.Exchange;

/// <summary>Moments of batch norm as another program may send them: in whatever messages, right or wrong.</summary>
public class NeighbourMomentsTest
{
    private const int Shards = 4;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private static readonly ShardRange Mine = new(0, 1);
    private static readonly ShardRange Theirs = new(1, 4);
    private static readonly MomentNode[] Leaves =
        [.. Enumerable.Range(0, Shards).Select(i => new MomentNode(new TreeNodeId(0, i), [i + 2, 1.0 / (i + 3), 2.0 / (i + 5), 0.1 * i, 0.7 * i]))];

    [Theory]
    [InlineData(1000)]
    [InlineData(16)]
    [InlineData(13)]
    [InlineData(1)]
    public async Task Nodes_that_come_in_messages_of_any_size_merge_to_the_bits_of_whole_ones(int messageBytes)
    {
        var merged = await MergeAsync(MomentTree.Reduce(Leaves[1..], MomentPass.Forward), messageBytes);
        Assert.Equal(MomentTree.Merge(Leaves, Shards, MomentPass.Forward), merged);
    }

    [Theory]
    [InlineData("shorter", "are expected", "w1")]
    [InlineData("longer", "are expected", "w1")]
    [InlineData("missing", "Shard 1 of 4 has not arrived", "")]
    [InlineData("twice", "do not fit together", "")]
    public async Task Moments_that_cannot_be_end_the_meeting_with_the_reason(string fault, string reason, string peer)
    {
        var nodes = MomentTree.Reduce(Leaves[1..], MomentPass.Forward).ToList();
        switch (fault)
        {
            case "shorter":
                nodes[1] = nodes[1] with { Values = nodes[1].Values[..3] };
                break;
            case "longer":
                nodes[1] = nodes[1] with { Values = [.. nodes[1].Values, 1, 1] };
                break;
            case "missing":
                nodes.RemoveAt(0);
                break;
            default:
                nodes.Add(nodes[0]);
                break;
        }

        var error = await Assert.ThrowsAsync<PeerException>(() => MergeAsync(nodes, 1000));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.Equal(peer, error.Peer);
    }

    private static async Task<double[]> MergeAsync(IReadOnlyList<MomentNode> theirs, int messageBytes)
    {
        using var timeout = new CancellationTokenSource(Patience);
        await using var server = await RpcServer.StartAsync(
            new RpcServerOptions { Listen = new Uri("http://127.0.0.1:0"), Services = [new Speaker(theirs, messageBytes)] }, timeout.Token);
        await using var channels = new PeerChannels(null) { Lease = Patience };
        var view = new GenerationView(
            ExchangeMember.Run, 1, [new MemberInfo("w0", "", Mine, true), new MemberInfo("w1", server.Address.ToString(), Theirs, true)], 0, 0, [], string.Empty, "test");
        var store = new PieceStore(TimeProvider.System, Patience);
        store.BeginGeneration(view.RunId, 1, 0);
        store.BeginStep(1);
        await using var moments = new RemoteMomentMerge(
            view, "w0", Shards, store, new Progress(), to => new PullLane(to, channels.To(to, ChannelUse.Meetings), "w0", () => { }, channels.Time));
        moments.BeginStep(1);
        return await moments.MergeAsync(0, MomentPass.Forward, Leaves[..1], timeout.Token);
    }

    /// <summary>Answers as member w1 would, with the contract's generated classes.</summary>
    private sealed class Speaker(IReadOnlyList<MomentNode> nodes, int messageBytes) : IRpcService
    {
        public void Bind(RpcServiceBinder binder) => binder.Duplex(GradientExchangeMethods.Pull, async (requests, writer, context) =>
        {
            await foreach (var request in requests.WithCancellation(context.CancellationToken))
            {
                foreach (var piece in Pieces(request.Key))
                    await writer.WriteAsync(piece, context.CancellationToken);
            }
        });

        private IEnumerable<Piece> Pieces(PieceKey key)
        {
            foreach (var node in nodes)
            {
                var bytes = MemoryMarshal.AsBytes(node.Values.AsSpan()).ToArray();
                for (var offset = 0; offset < bytes.Length; offset += messageBytes)
                {
                    var part = bytes[offset..Math.Min(bytes.Length, offset + messageBytes)];
                    yield return new Piece
                    {
                        Key = key,
                        Level = (uint)node.Node.Level,
                        Node = (uint)node.Node.Index,
                        NodeBytes = (ulong)bytes.Length,
                        Offset = (ulong)offset,
                        Payload = ByteString.CopyFrom(part),
                        Last = node == nodes[^1] && offset + part.Length == bytes.Length,
                    };
                }
            }
        }
    }
}
