using System.Buffers;
using System.Runtime.InteropServices;
using AdderNet.Core.Sharding;
using AdderNet.Protos.Rpc;
using AdderNet.Protos.V1;
using AdderNet.Worker.Exchange;
using AdderNet.Worker.Membership;
using AdderNet.Worker.Tests.Training;
using Google.Protobuf;
using Xunit;

namespace AdderNet.Worker.Tests.Exchange;

/// <summary>A neighbour that answers what it may not, over real sockets: the exchange ends and names it, and no sum comes of it.</summary>
public class HostileNeighbourTest
{
    private const int Length = 1000;
    private const int Shards = 8;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly ShardRange Mine = new(0, 4);
    private static readonly ShardRange Theirs = new(4, 8);
    private static readonly float[][] Leaves = ExchangeCase.Leaves(Shards, Length, 3);

    [Fact]
    public async Task An_honest_answer_gives_the_mean()
    {
        var (mean, counts) = await ReduceAsync((_, _) => { }, null);

        Assert.Equal(ExchangeCase.Bits(ExchangeCase.OneMember(Leaves).Mean), ExchangeCase.Bits(mean));
        Assert.Equal(ExchangeCase.OneMember(Leaves).Counts, counts);
    }

    [Theory]
    [InlineData("run", "broke the protocol")]
    [InlineData("generation", "broke the protocol")]
    [InlineData("step", "broke the protocol")]
    [InlineData("kind", "broke the protocol")]
    [InlineData("index", "broke the protocol")]
    [InlineData("node", "broke the protocol")]
    [InlineData("level", "broke the protocol")]
    [InlineData("node of mine", "broke the protocol")]
    [InlineData("long node", "broke the protocol")]
    [InlineData("short node", "broke the protocol")]
    [InlineData("offset", "broke the protocol")]
    [InlineData("more than the node", "broke the protocol")]
    [InlineData("end too early", "broke the protocol")]
    [InlineData("large message", "ResourceExhausted")]
    public async Task A_piece_that_cannot_be_ends_the_exchange_with_the_neighbours_name(string fault, string reason)
    {
        var error = await Assert.ThrowsAsync<PeerException>(() => ReduceAsync((piece, wanted) => Spoil(piece, wanted, fault), null));

        Assert.Equal("w1", error.Peer);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_key_changed_at_random_or_a_message_cut_short_never_gives_another_mean(uint seed)
    {
        var refused = 0;
        for (var i = 0; i < 20; i++)
        {
            var (place, flip, cut) = (Draw(15), Draw(255) + 1, Draw(3) == 0);
            try
            {
                var (mean, _) = await ReduceAsync((_, _) => { }, bytes =>
                {
                    if (cut)
                        return bytes[..(place * bytes.Length / 15)];
                    bytes[place] ^= (byte)flip; // within the key
                    return bytes;
                });
                Assert.Equal(ExchangeCase.Bits(ExchangeCase.OneMember(Leaves).Mean), ExchangeCase.Bits(mean));
            }
            catch (PeerException e)
            {
                Assert.Equal("w1", e.Peer);
                refused++;
            }
        }

        Assert.InRange(refused, 10, 20);

        int Draw(uint below)
        {
            seed = (seed * 1664525) + 1013904223;
            return (int)((seed >> 8) % below);
        }
    }

    [Fact]
    public async Task A_neighbour_that_stops_within_a_piece_is_given_up()
    {
        var error = await Assert.ThrowsAsync<PeerException>(() => ReduceAsync(
            (piece, _) =>
            {
                piece.Payload = ByteString.CopyFrom(piece.Payload.Span[..4]);
                piece.Last = false;
            },
            null,
            new HurriedTime()));

        Assert.Equal("w1", error.Peer);
        Assert.Contains("stopped within a piece", error.Message, StringComparison.Ordinal);
    }

    private static void Spoil(Piece piece, PieceKey wanted, string fault)
    {
        var sums = wanted.Kind == PieceKind.Subtrees;
        switch (fault)
        {
            case "run":
                piece.Key.RunId = "run-2";
                break;
            case "generation":
                piece.Key.Generation++;
                break;
            case "step":
                piece.Key.Step--;
                break;
            case "kind":
                piece.Key.Kind = PieceKind.Statistics;
                break;
            case "index":
                piece.Key.Index++;
                break;
            case "node" when sums:
                piece.Node = 7;
                break;
            case "level" when sums:
                piece.Level = 9;
                break;
            case "node of mine" when sums:
                piece.Node = 0;
                break;
            case "long node":
                piece.NodeBytes += 4;
                break;
            case "short node":
                piece.NodeBytes -= 4;
                break;
            case "offset":
                piece.Offset = 4;
                break;
            case "more than the node":
                piece.Payload = ByteString.CopyFrom([.. piece.Payload.Span, 1, 2, 3, 4]);
                break;
            case "end too early":
                piece.Payload = ByteString.CopyFrom(piece.Payload.Span[..^4]);
                break;
            case "large message":
                piece.Payload = ByteString.CopyFrom(new byte[3 << 20]);
                break;
        }
    }

    private static async Task<(float[] Mean, StepCounts Counts)> ReduceAsync(Action<Piece, PieceKey> change, Func<byte[], byte[]>? garble, TimeProvider? time = null)
    {
        using var timeout = new CancellationTokenSource(Patience);
        await using var server = await RpcServer.StartAsync(
            new RpcServerOptions { Listen = new Uri("http://127.0.0.1:0"), Services = [new Liar(change, garble)] }, timeout.Token);
        await using var channels = new PeerChannels(new RpcChannelOptions { TimeProvider = time ?? TimeProvider.System }) { Lease = Patience };
        var view = new GenerationView(
            ExchangeMember.Run, 1, [new MemberInfo("w0", "", Mine, true), new MemberInfo("w1", server.Address.ToString(), Theirs, true)], 0, 0, [], string.Empty, "test");
        var store = new PieceStore(TimeProvider.System, Patience);
        store.BeginGeneration(view.RunId, 1, 0);
        store.BeginStep(1);
        await using var exchange = new GradientExchange(
            view, "w0", Shards, Length, 400, 0, store, member => new PullLane(member, channels.To(member), "w0", () => { }, channels.Time));
        var mean = new float[Length];
        return (mean, await exchange.ReduceAsync(1, OwnSums.Of(ExchangeCase.Sums(Leaves, Mine)), mean, timeout.Token));
    }

    /// <summary>Answers as member w1 would, but for what is changed of each piece, or of its bytes.</summary>
    private sealed class Liar(Action<Piece, PieceKey> change, Func<byte[], byte[]>? garble) : IRpcService
    {
        public void Bind(RpcServiceBinder binder) => binder.Duplex(GradientExchangeMethods.PullWith(new Bytes()), async (requests, writer, context) =>
        {
            await foreach (var request in requests.WithCancellation(context.CancellationToken))
            {
                var piece = Answer(request.Key);
                change(piece, request.Key);
                var bytes = piece.ToByteArray();
                await writer.WriteAsync(garble is null ? bytes : garble(bytes), context.CancellationToken);
                if (!piece.Last)
                    await new TaskCompletionSource().Task.WaitAsync(context.CancellationToken); // and no more of it
            }
        });

        private static Piece Answer(PieceKey wanted)
        {
            var members = new[] { new MemberInfo("w0", "", Mine, true), new MemberInfo("w1", "", Theirs, true) };
            var bucket = BucketPlan.Cut(Length, 400, members)[(int)wanted.Index];
            var own = ExchangeCase.Sums(Leaves, Theirs).Single();
            var (mean, counts) = ExchangeCase.OneMember(Leaves);
            var values = wanted.Kind == PieceKind.Mean ? mean.AsSpan(bucket.Offset, bucket.Length) : own.Sum.Span.Slice(bucket.Offset, bucket.Length);
            var (node, its) = wanted.Kind == PieceKind.Mean ? (new TreeNodeId(3, 0), counts) : (own.Node, own.Counts);
            return new Piece
            {
                Key = wanted.Clone(),
                Level = (uint)node.Level,
                Node = (uint)node.Index,
                Payload = ByteString.CopyFrom(MemoryMarshal.AsBytes(values)),
                NodeBytes = (ulong)(values.Length * sizeof(float)),
                Counts = new Counts { Samples = (ulong)its.Samples, Correct = (ulong)its.Correct, FirstNonFinite = (ulong)its.FirstNonFinite },
                Last = true,
            };
        }
    }

    private sealed class Bytes : IRpcMarshaller<byte[]>
    {
        public int Measure(byte[] message) => message.Length;

        public void Write(byte[] message, IBufferWriter<byte> output) => output.Write(message);

        public byte[] Read(in ReadOnlySequence<byte> payload) => payload.ToArray();
    }
}
