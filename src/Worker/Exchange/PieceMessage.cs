using System.Buffers;
using System.Text;
using AdderNet.Core.Sharding;
using AdderNet.Protos.Rpc;

namespace AdderNet.Worker.Exchange;

/// <summary>One <c>Piece</c> message on its way out; the payload is borrowed.</summary>
/// <param name="Id">The piece.</param>
/// <param name="Node">The node that the payload is a part of.</param>
/// <param name="NodeBytes">Bytes of the whole node.</param>
/// <param name="Offset">First byte of the payload within the node.</param>
/// <param name="Payload">Little-endian elements.</param>
/// <param name="Counts">Of the node; on its first message.</param>
/// <param name="Last">The piece is complete with it.</param>
internal readonly record struct PieceMessage(
    PieceId Id, TreeNodeId Node, int NodeBytes, int Offset, ReadOnlyMemory<byte> Payload, StepCounts? Counts, bool Last);

/// <summary>
/// Writes pieces as the contract's <c>Piece</c>, straight from where their elements lie into the transport's buffers: no
/// message objects, no copy in between. The payload comes last, so that a reader knows all else before it.
/// </summary>
internal sealed class PieceWriter : IRpcMarshaller<PieceMessage>
{
    /// <summary>Field numbers of <c>Piece</c>, <c>PieceKey</c> and <c>Counts</c> in the .proto contract.</summary>
    internal static class Fields
    {
        public const int Key = 1, Level = 2, Node = 3, Offset = 4, Payload = 5, Counts = 6, NodeBytes = 7, Last = 8;
        public const int RunId = 1, Generation = 2, Step = 3, Kind = 4, Index = 5;
        public const int Samples = 1, Correct = 2, FirstNonFinite = 3;
    }

    /// <inheritdoc/>
    public int Measure(PieceMessage message)
    {
        var (key, counts) = (KeySize(message.Id), CountsSize(message.Counts));
        return 1 + WireFieldWriter.SizeOf((ulong)key) + key
            + WireFieldWriter.SizeOfField((ulong)message.Node.Level) + WireFieldWriter.SizeOfField((ulong)message.Node.Index)
            + WireFieldWriter.SizeOfField((ulong)message.Offset) + WireFieldWriter.SizeOfField((ulong)message.NodeBytes) + WireFieldWriter.SizeOfField(message.Last ? 1UL : 0)
            + (message.Counts is null ? 0 : 1 + WireFieldWriter.SizeOf((ulong)counts) + counts)
            + 1 + WireFieldWriter.SizeOf((ulong)message.Payload.Length) + message.Payload.Length;
    }

    /// <inheritdoc/>
    public void Write(PieceMessage message, IBufferWriter<byte> output)
    {
        var head = Measure(message) - message.Payload.Length;
        var fields = new WireFieldWriter(output.GetSpan(head));
        fields.Length(Fields.Key, KeySize(message.Id));
        WriteKey(ref fields, message.Id);
        fields.Field(Fields.Level, (ulong)message.Node.Level);
        fields.Field(Fields.Node, (ulong)message.Node.Index);
        fields.Field(Fields.Offset, (ulong)message.Offset);
        fields.Field(Fields.NodeBytes, (ulong)message.NodeBytes);
        fields.Field(Fields.Last, message.Last ? 1UL : 0);
        if (message.Counts is { } counts)
        {
            fields.Length(Fields.Counts, CountsSize(counts));
            fields.Field(Fields.Samples, (ulong)counts.Samples);
            fields.Field(Fields.Correct, (ulong)counts.Correct);
            fields.Field(Fields.FirstNonFinite, (ulong)counts.FirstNonFinite);
        }

        fields.Length(Fields.Payload, message.Payload.Length);
        output.Advance(fields.Written);
    }

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> Tail(PieceMessage message) => message.Payload;

    /// <summary>This side only sends pieces; see <see cref="PieceIntake"/>.</summary>
    public PieceMessage Read(in ReadOnlySequence<byte> payload) => throw new NotSupportedException("Pieces are read by PieceIntake.");

    private static int KeySize(PieceId id) =>
        (id.RunId.Length == 0 ? 0 : 1 + WireFieldWriter.SizeOf((ulong)Encoding.UTF8.GetByteCount(id.RunId)) + Encoding.UTF8.GetByteCount(id.RunId))
        + WireFieldWriter.SizeOfField((ulong)id.Generation) + WireFieldWriter.SizeOfField((ulong)id.Step)
        + WireFieldWriter.SizeOfField((ulong)PieceWire.Kind(id.Sort)) + WireFieldWriter.SizeOfField((ulong)id.Index);

    private static void WriteKey(ref WireFieldWriter fields, PieceId id)
    {
        if (id.RunId.Length > 0)
        {
            fields.Length(Fields.RunId, Encoding.UTF8.GetByteCount(id.RunId));
            fields.Text(id.RunId);
        }

        fields.Field(Fields.Generation, (ulong)id.Generation);
        fields.Field(Fields.Step, (ulong)id.Step);
        fields.Field(Fields.Kind, (ulong)PieceWire.Kind(id.Sort));
        fields.Field(Fields.Index, (ulong)id.Index);
    }

    private static int CountsSize(StepCounts? counts) => counts is not { } c
        ? 0
        : WireFieldWriter.SizeOfField((ulong)c.Samples) + WireFieldWriter.SizeOfField((ulong)c.Correct) + WireFieldWriter.SizeOfField((ulong)c.FirstNonFinite);
}
