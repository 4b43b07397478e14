using System.Buffers;
using AdderNet.Core.Sharding;
using AdderNet.Protos.V1;
using AdderNet.Worker.Exchange;
using FsCheck;
using FsCheck.Fluent;
using Google.Protobuf;
using Xunit;

namespace AdderNet.Worker.Tests.Exchange;

/// <summary>Pieces on the wire are the contract's messages, whoever wrote them, and nothing that is none is taken in.</summary>
public class PieceFormTest
{
    private static readonly PieceId Wanted = new("run-ä", 3, 17, PieceSort.Subtrees, 2);

    [Fact]
    public void What_is_written_is_what_the_generated_class_reads() => Check.One(Config.QuickThrowOnFailure, Prop.ForAll(Messages().ToArbitrary(), message =>
    {
        var piece = Piece.Parser.ParseFrom(Written(message));
        Assert.Equal(PieceWire.Key(message.Id), piece.Key);
        Assert.Equal(((uint)message.Node.Level, (uint)message.Node.Index), (piece.Level, piece.Node));
        Assert.Equal(((ulong)message.NodeBytes, (ulong)message.Offset, message.Last), (piece.NodeBytes, piece.Offset, piece.Last));
        Assert.Equal(message.Payload.ToArray(), piece.Payload.ToByteArray());
        Assert.Equal(
            message.Counts is { } c ? new Counts { Samples = (ulong)c.Samples, Correct = (ulong)c.Correct, FirstNonFinite = (ulong)c.FirstNonFinite } : null,
            piece.Counts);
    }));

    [Fact]
    public void What_the_generated_class_writes_is_read_however_it_is_split()
    {
        var generator = from payload in Payloads() from chunk in Gen.Choose(1, 70) from split in Gen.Choose(1, 40) select (payload, chunk, split);
        Check.One(Config.QuickThrowOnFailure, Prop.ForAll(generator.ToArbitrary(), drawn =>
        {
            var (payload, chunk, split) = drawn;
            var (intake, taken) = Intake();
            var counts = new Counts { Samples = 5, FirstNonFinite = 9 };
            for (var offset = 0; offset < payload.Length; offset += chunk)
            {
                var part = payload[offset..Math.Min(payload.Length, offset + chunk)];
                var piece = Official(payload.Length, offset, part);
                piece.Counts = offset == 0 ? counts : null;
                Assert.Equal(piece.Last, intake.Read(Split(piece.ToByteArray(), split)));
            }

            Assert.Equal(payload, taken.SelectMany(t => t.Bytes));
            Assert.All(taken, t => Assert.Equal((new TreeNodeId(2, 1), new StepCounts(5, 0, 9)), (t.Node, t.Counts)));
        }));
    }

    [Fact]
    public void Random_bytes_and_cut_or_changed_messages_are_refused_or_read_but_never_more()
    {
        var generator = from payload in Payloads()
                        from noise in Gen.ArrayOf(Gen.Choose(0, 255).Select(b => (byte)b))
                        from place in Gen.Choose(0, 1000)
                        from kind in Gen.Choose(0, 2)
                        select (payload, noise, place, kind);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2000), Prop.ForAll(generator.ToArbitrary(), drawn =>
        {
            var (payload, noise, place, kind) = drawn;
            var bytes = Official(payload.Length, 0, payload).ToByteArray();
            switch (kind)
            {
                case 0:
                    bytes = noise;
                    break;
                case 1:
                    bytes = bytes[..(place % bytes.Length)];
                    break;
                default:
                    bytes[place % bytes.Length] ^= (byte)((noise.FirstOrDefault() % 255) + 1);
                    break;
            }

            foreach (var places in new[] { false, true })
            {
                var (intake, taken) = Intake(places ? new byte[payload.Length] : null);
                var message = new ReadOnlySequence<byte>(bytes);
                try
                {
                    if (intake.Begin(message, bytes.Length) is { } head)
                        Arrive(intake, bytes.AsSpan(head));
                    else
                        intake.Read(message);
                }
                catch (FormatException)
                {
                    Assert.Empty(taken); // what is refused has left no trace
                }

                Assert.True(taken.Sum(t => t.Bytes.Length) <= bytes.Length);
            }
        }));
    }

    [Fact]
    public void A_payload_at_the_end_of_its_message_goes_to_its_place_however_little_of_it_is_there()
    {
        var payload = Enumerable.Range(1, 100).Select(i => (byte)i).ToArray();
        var bytes = Written(new PieceMessage(Wanted, new TreeNodeId(2, 1), payload.Length, 0, payload, new StepCounts(5, 0, 9), Last: true));
        for (var known = 0; known <= bytes.Length; known++)
        {
            var place = new byte[payload.Length];
            var (intake, taken) = Intake(place);
            if (intake.Begin(new ReadOnlySequence<byte>(bytes, 0, known), bytes.Length) is not { } head)
            {
                Assert.True(known < bytes.Length - payload.Length); // less than the head
                continue;
            }

            Assert.Equal(bytes.Length - payload.Length, head);
            Assert.True(Arrive(intake, payload));
            Assert.Equal(payload, place);
            Assert.Equal((new TreeNodeId(2, 1), new StepCounts(5, 0, 9)), (taken.Single().Node, taken.Single().Counts));
        }
    }

    [Fact]
    public void A_payload_goes_to_several_places_one_after_another_and_is_taken_as_each_is_full()
    {
        var payload = Enumerable.Range(1, 100).Select(i => (byte)i).ToArray();
        var bytes = Written(new PieceMessage(Wanted, new TreeNodeId(2, 1), payload.Length, 0, payload, new StepCounts(5, 0, 9), Last: true));
        var place = new byte[32];
        var taken = new List<byte[]>();
        var intake = new PieceIntake();
        intake.Expect(Wanted, chunk => taken.Add(chunk.Payload.ToArray()), (_, _, offset, length) => place.AsMemory(offset % 32, Math.Min(length, 32 - (offset % 32))));
        var head = intake.Begin(new ReadOnlySequence<byte>(bytes), bytes.Length);
        Assert.True(Arrive(intake, bytes.AsSpan(head!.Value)));
        Assert.Equal([32, 32, 32, 4], taken.Select(part => part.Length));
        Assert.Equal(payload, taken.SelectMany(part => part));
    }

    [Fact]
    public void A_payload_that_has_no_place_for_its_end_is_refused()
    {
        var bytes = Written(new PieceMessage(Wanted, new TreeNodeId(2, 1), 8, 0, new byte[8], null, Last: true));
        var intake = new PieceIntake();
        intake.Expect(Wanted, _ => { }, (_, _, offset, _) => offset == 0 ? new byte[4] : default);
        var head = intake.Begin(new ReadOnlySequence<byte>(bytes), bytes.Length);
        var error = Assert.Throws<FormatException>(() => Arrive(intake, bytes.AsSpan(head!.Value)));
        Assert.Contains("byte 4 of", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, 8)]
    [InlineData(true, 7)]
    public void A_message_whose_payload_has_no_place_is_read_as_a_whole(bool payloadIsLast, int room)
    {
        var piece = Official(8, 0, [1, 2, 3, 4, 5, 6, 7, 8]);
        var bytes = payloadIsLast
            ? Written(new PieceMessage(Wanted, new TreeNodeId(2, 1), 8, 0, piece.Payload.ToByteArray(), null, Last: true))
            : piece.ToByteArray(); // the payload's number comes before others
        var (intake, taken) = Intake(new byte[room]);
        Assert.Null(intake.Begin(new ReadOnlySequence<byte>(bytes), bytes.Length));
        Assert.Empty(taken);
        Assert.True(intake.Read(new ReadOnlySequence<byte>(bytes)));
        Assert.Equal(piece.Payload.ToByteArray(), taken.Single().Bytes);
    }

    [Theory]
    [InlineData("step", "received another piece")]
    [InlineData("run", "received another piece")]
    [InlineData("kind", "received another piece")]
    [InlineData("offset", "does not follow")]
    [InlineData("long", "does not follow")]
    [InlineData("empty", "an empty chunk")]
    [InlineData("level", "holds node")]
    [InlineData("early end", "ended before its node was complete")]
    public void A_piece_that_cannot_be_is_refused_with_the_reason(string fault, string reason)
    {
        var piece = Official(8, 0, [1, 2, 3, 4]);
        switch (fault)
        {
            case "step":
                piece.Key.Step++;
                break;
            case "run":
                piece.Key.RunId = "run-b";
                break;
            case "kind":
                piece.Key.Kind = PieceKind.Mean;
                break;
            case "offset":
                piece.Offset = 4;
                break;
            case "long":
                piece.Payload = ByteString.CopyFrom(new byte[9]);
                break;
            case "empty":
                piece.Payload = ByteString.Empty;
                break;
            case "level":
                piece.Level = 31;
                break;
            case "early end":
                piece.Last = true;
                break;
        }

        var (intake, _) = Intake();
        var error = Assert.Throws<FormatException>(() => intake.Read(new ReadOnlySequence<byte>(piece.ToByteArray())));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void A_node_that_changes_before_it_is_complete_is_refused(int what)
    {
        var (intake, taken) = Intake();
        Assert.False(intake.Read(new ReadOnlySequence<byte>(Official(8, 0, [1, 2, 3, 4]).ToByteArray())));
        var piece = Official(8, 4, [5, 6, 7, 8]);
        piece.Level += what == 0 ? 1u : 0;
        piece.Node += what == 1 ? 1u : 0;
        piece.NodeBytes += what == 2 ? 1u : 0;
        var error = Assert.Throws<FormatException>(() => intake.Read(new ReadOnlySequence<byte>(piece.ToByteArray())));
        Assert.Contains("changed before it was complete", error.Message, StringComparison.Ordinal);
        Assert.Single(taken);
    }

    [Fact]
    public void Fields_of_a_later_version_are_passed_over()
    {
        // Field 15 as a number, as fixed 32 and 64 bits and as bytes.
        byte[] later = [0x78, 0x96, 0x01, 0x7D, 1, 2, 3, 4, 0x79, 1, 2, 3, 4, 5, 6, 7, 8, 0x7A, 2, 9, 9];
        var (intake, taken) = Intake();
        Assert.True(intake.Read(new ReadOnlySequence<byte>([.. later, .. Official(4, 0, [1, 2, 3, 4]).ToByteArray(), .. later])));
        Assert.Equal([1, 2, 3, 4], taken.Single().Bytes);
    }

    private static Gen<byte[]> Payloads() => Gen.NonEmptyListOf(Gen.Choose(0, 255)).Select(list => list.Select(b => (byte)b).ToArray());

    private static Gen<PieceMessage> Messages() =>
        from run in Gen.Elements("", "r", "run-ä", new string('x', 200))
        from numbers in Gen.ArrayOf(Gen.Choose(0, int.MaxValue), 8)
        from shift in Gen.Choose(0, 30)
        from sort in Gen.Elements(PieceSort.Subtrees, PieceSort.Mean, PieceSort.Statistics)
        from hasCounts in Gen.Elements(true, false)
        from last in Gen.Elements(true, false)
        from payload in Gen.ArrayOf(Gen.Choose(0, 255).Select(b => (byte)b))
        select new PieceMessage(
            new PieceId(run, (long)numbers[0] << shift, numbers[1] >> shift, sort, numbers[2] >> shift),
            new TreeNodeId(numbers[3] >> shift, numbers[4] >> shift), numbers[5] >> shift, numbers[6] >> shift, payload,
            hasCounts ? new StepCounts((long)numbers[7] << shift, numbers[0] >> shift, -1) : null, last);

    private static Piece Official(int nodeBytes, int offset, byte[] part) => new()
    {
        Key = PieceWire.Key(Wanted),
        Level = 2,
        Node = 1,
        Offset = (ulong)offset,
        Payload = ByteString.CopyFrom(part),
        NodeBytes = (ulong)nodeBytes,
        Last = offset + part.Length == nodeBytes,
    };

    private static (PieceIntake Intake, List<(TreeNodeId Node, StepCounts Counts, byte[] Bytes)> Taken) Intake(byte[]? place = null)
    {
        var taken = new List<(TreeNodeId, StepCounts, byte[])>();
        var intake = new PieceIntake();
        intake.Expect(Wanted, chunk => taken.Add((chunk.Node, chunk.Counts, chunk.Payload.ToArray())),
            place is null ? null : (_, _, offset, length) => offset + length <= place.Length ? place.AsMemory(offset, length) : default);
        return (intake, taken);
    }

    /// <summary>A payload as the transport puts it.</summary>
    private static bool Arrive(PieceIntake intake, ReadOnlySpan<byte> payload)
    {
        while (!payload.IsEmpty)
        {
            var place = intake.Place(payload.Length);
            payload[..place.Length].CopyTo(place.Span);
            payload = payload[place.Length..];
            intake.Placed();
        }

        return intake.End();
    }

    private static byte[] Written(PieceMessage message)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new PieceWriter();
        writer.Write(message, output);
        output.Write(writer.Tail(message).Span);
        Assert.Equal(writer.Measure(message), output.WrittenCount);
        return output.WrittenSpan.ToArray();
    }

    private static ReadOnlySequence<byte> Split(byte[] bytes, int size)
    {
        var first = new Segment(bytes.AsMemory(0, Math.Min(size, bytes.Length)), null);
        var last = first;
        for (var offset = size; offset < bytes.Length; offset += size)
            last = new Segment(bytes.AsMemory(offset, Math.Min(size, bytes.Length - offset)), last);
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, Segment? before)
        {
            Memory = memory;
            RunningIndex = before is null ? 0 : before.RunningIndex + before.Memory.Length;
            if (before is not null)
                before.Next = this;
        }
    }
}
