using System.Buffers;
using System.Text;
using AdderNet.Core.Sharding;
using AdderNet.Protos.Rpc;
using Fields = AdderNet.Worker.Exchange.PieceWriter.Fields;

namespace AdderNet.Worker.Exchange;

/// <summary>A part of one node's payload as it arrives.</summary>
internal readonly ref struct PieceChunk
{
    public required PieceId Id { get; init; }
    public required TreeNodeId Node { get; init; }

    /// <summary>Bytes of the whole node.</summary>
    public required int NodeBytes { get; init; }

    /// <summary>First byte of <see cref="Payload"/> within the node.</summary>
    public required int Offset { get; init; }
    public required ReadOnlySpan<byte> Payload { get; init; }

    /// <summary>Counts of the node.</summary>
    public required StepCounts Counts { get; init; }

    /// <summary>Whether the node is complete with this chunk.</summary>
    public bool EndsNode => Offset + Payload.Length == NodeBytes;
}

/// <summary>Takes chunks in order, from one lane at a time. Throws <see cref="FormatException"/> for what cannot be.</summary>
internal delegate void PieceReceiver(PieceChunk chunk);

/// <summary>
/// Reads the <c>Piece</c> messages of one call and hands their payload over out of the transport's own buffers, without a copy
/// in between. Expects one piece at a time; what is read says whether the piece is complete. State of one call: its reader's.
/// </summary>
internal sealed class PieceIntake : IRpcMarshaller<bool>
{
    private const int DeepestLevel = 30;
    private PieceId wanted;
    private byte[] runId = [];
    private PieceReceiver? receive;
    private bool inNode;
    private TreeNodeId node;
    private int nodeBytes;
    private int received;
    private StepCounts counts;

    /// <summary>The next messages must be this piece's.</summary>
    public void Expect(PieceId id, PieceReceiver receiver)
    {
        if (id.RunId != wanted.RunId)
            runId = Encoding.UTF8.GetBytes(id.RunId);
        (wanted, receive, inNode) = (id, receiver, false);
    }

    /// <summary>This side only receives; see <see cref="PieceWriter"/>.</summary>
    public int Measure(bool message) => throw new NotSupportedException("Pieces are written by PieceWriter.");

    /// <summary>This side only receives; see <see cref="PieceWriter"/>.</summary>
    public void Write(bool message, IBufferWriter<byte> output) => throw new NotSupportedException("Pieces are written by PieceWriter.");

    /// <summary>Takes one message in.</summary>
    /// <returns>Whether the piece is complete.</returns>
    /// <exception cref="FormatException">It is no part of the piece that must come, or does not follow what came before.</exception>
    public bool Read(in ReadOnlySequence<byte> payload)
    {
        var message = new Head();
        message.Parse(payload, runId);
        if (!message.IsOf(wanted))
            throw new FormatException($"asked for {wanted}, received another piece");
        if (!inNode)
        {
            if (message.Level > DeepestLevel || message.Node > int.MaxValue || message.NodeBytes > int.MaxValue)
                throw new FormatException($"{wanted} holds node {message.Node} of level {message.Level} with {message.NodeBytes} bytes");
            (node, nodeBytes, received, counts) = (new TreeNodeId((int)message.Level, (int)message.Node), (int)message.NodeBytes, 0, message.Counts);
        }
        else if (message.Level != (ulong)node.Level || message.Node != (ulong)node.Index || message.NodeBytes != (ulong)nodeBytes)
        {
            throw new FormatException($"a node of {wanted} changed before it was complete");
        }

        if (message.Offset != (ulong)received || message.Payload.Length > nodeBytes - received)
            throw new FormatException($"offset {message.Offset} of {wanted} does not follow {received}");
        if (message.Payload.IsEmpty && nodeBytes > 0)
            throw new FormatException($"an empty chunk of {wanted}");
        if (message.Last && received + message.Payload.Length < nodeBytes)
            throw new FormatException($"{wanted} ended before its node was complete");
        if (message.Payload.IsEmpty)
            HandOver([]);
        foreach (var part in message.Payload)
            HandOver(part.Span);
        inNode = received < nodeBytes;
        return message.Last;
    }

    private void HandOver(ReadOnlySpan<byte> part)
    {
        receive!(new PieceChunk { Id = wanted, Node = node, NodeBytes = nodeBytes, Offset = received, Payload = part, Counts = counts });
        received += part.Length;
    }

    /// <summary>The fields of one message; the payload where it lies.</summary>
    private ref struct Head
    {
        private bool isRun;
        private ulong generation;
        private ulong step;
        private ulong kind;
        private ulong index;

        public ulong Level { get; private set; }

        public ulong Node { get; private set; }

        public ulong Offset { get; private set; }

        public ulong NodeBytes { get; private set; }

        public bool Last { get; private set; }

        public StepCounts Counts { get; private set; }

        public ReadOnlySequence<byte> Payload { get; private set; }

        public readonly bool IsOf(PieceId id) =>
            isRun && generation == (ulong)id.Generation && step == (ulong)id.Step && kind == (ulong)PieceWire.Kind(id.Sort) && index == (ulong)id.Index;

        public void Parse(in ReadOnlySequence<byte> message, ReadOnlySpan<byte> run)
        {
            isRun = run.IsEmpty;
            var fields = new WireFieldReader(message);
            while (fields.Next() is > 0 and var number)
            {
                switch (number)
                {
                    case Fields.Key:
                        ParseKey(fields.Slice(), run);
                        break;
                    case Fields.Level:
                        Level = fields.Number();
                        break;
                    case Fields.Node:
                        Node = fields.Number();
                        break;
                    case Fields.Offset:
                        Offset = fields.Number();
                        break;
                    case Fields.Payload:
                        Payload = fields.Slice();
                        break;
                    case Fields.Counts:
                        ParseCounts(fields.Slice());
                        break;
                    case Fields.NodeBytes:
                        NodeBytes = fields.Number();
                        break;
                    case Fields.Last:
                        Last = fields.Number() != 0;
                        break;
                    default:
                        fields.Skip();
                        break;
                }
            }
        }

        private void ParseKey(ReadOnlySequence<byte> key, ReadOnlySpan<byte> run)
        {
            var fields = new WireFieldReader(key);
            while (fields.Next() is > 0 and var number)
            {
                switch (number)
                {
                    case Fields.RunId:
                        var reader = new SequenceReader<byte>(fields.Slice());
                        isRun = reader.Length == run.Length && reader.IsNext(run);
                        break;
                    case Fields.Generation:
                        generation = fields.Number();
                        break;
                    case Fields.Step:
                        step = fields.Number();
                        break;
                    case Fields.Kind:
                        kind = fields.Number();
                        break;
                    case Fields.Index:
                        index = fields.Number();
                        break;
                    default:
                        fields.Skip();
                        break;
                }
            }
        }

        private void ParseCounts(ReadOnlySequence<byte> message)
        {
            var fields = new WireFieldReader(message);
            while (fields.Next() is > 0 and var number)
            {
                switch (number)
                {
                    case Fields.Samples:
                        Counts = Counts with { Samples = (long)fields.Number() };
                        break;
                    case Fields.Correct:
                        Counts = Counts with { Correct = (long)fields.Number() };
                        break;
                    case Fields.FirstNonFinite:
                        Counts = Counts with { FirstNonFinite = (long)fields.Number() };
                        break;
                    default:
                        fields.Skip();
                        break;
                }
            }
        }
    }
}
