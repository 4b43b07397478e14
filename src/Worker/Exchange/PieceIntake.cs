using System.Buffers;
using System.Text;
using AdderNet.Core.Sharding;
using AdderNet.Protos.Rpc;

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

    /// <summary>Whether <see cref="Payload"/> lies where the receiver's <see cref="PiecePlace"/> wanted it.</summary>
    public required bool InPlace { get; init; }

    /// <summary>Whether the node is complete with this chunk.</summary>
    public bool EndsNode => Offset + Payload.Length == NodeBytes;
}

/// <summary>Takes chunks in order, from one lane at a time. Throws <see cref="FormatException"/> for what cannot be.</summary>
internal delegate void PieceReceiver(PieceChunk chunk);

/// <summary>
/// Says where the next bytes of a node may be put while they arrive, before the <see cref="PieceReceiver"/> is called with them; empty: nowhere,
/// they are handed over where they lie. What is put there counts only once it is handed over.
/// </summary>
/// <param name="id">The piece.</param>
/// <param name="nodeBytes">Bytes of the whole node, as the sender says.</param>
/// <param name="offset">Place of the first of them within the node.</param>
/// <param name="length">How many of them come: as many or fewer are put.</param>
internal delegate Memory<byte> PiecePlace(PieceId id, int nodeBytes, int offset, int length);

/// <summary>
/// Reads the <c>Piece</c> messages of one call: lets the transport put their payload where it belongs, or hands it over out of the
/// transport's buffers where it cannot (a foreign order of fields, a part of an odd size). Expects one piece at a time; what is read says whether the piece is complete. State of one call: its reader's.
/// </summary>
internal sealed class PieceIntake : IRpcIntake<bool>
{
    private const int DeepestLevel = 30;
    private PieceId wanted;
    private byte[] runId = [];
    private PieceReceiver? receive;
    private PiecePlace? place;
    private Memory<byte> placed;
    private bool placedLast;
    private bool inNode;
    private TreeNodeId node;
    private int nodeBytes;
    private int received;
    private StepCounts counts;

    /// <summary>The next messages must be this piece's.</summary>
    public void Expect(PieceId id, PieceReceiver receiver, PiecePlace? places = null)
    {
        if (id.RunId != wanted.RunId)
            runId = Encoding.UTF8.GetBytes(id.RunId);
        (wanted, receive, place, inNode) = (id, receiver, places, false);
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
        var message = new PieceHead();
        message.Parse(payload, runId);
        Admit(message, message.Payload.Length);
        if (message.Payload.IsEmpty)
            HandOver([], inPlace: false);
        foreach (var part in message.Payload)
            HandOver(part.Span, inPlace: false);
        inNode = received < nodeBytes;
        return message.Last;
    }

    /// <inheritdoc/>
    public int? Begin(in ReadOnlySequence<byte> start, int length)
    {
        var message = new PieceHead();
        if (place is null || !message.TryParseHead(start, length, runId, out var head))
            return null;
        Admit(message, length - head);
        placed = place(wanted, nodeBytes, received, length - head);
        placedLast = message.Last;
        return placed.IsEmpty ? null : head;
    }

    /// <inheritdoc/>
    public Memory<byte> Place(int left)
    {
        if (placed.IsEmpty)
            placed = place!(wanted, nodeBytes, received, left);
        return placed.IsEmpty ? throw new FormatException($"byte {received} of {wanted} has no place") : placed;
    }

    /// <inheritdoc/>
    public void Placed()
    {
        HandOver(placed.Span, inPlace: true);
        placed = default;
    }

    /// <inheritdoc/>
    public bool End()
    {
        inNode = received < nodeBytes;
        return placedLast;
    }

    /// <summary>Refuses what does not follow from what came before.</summary>
    private void Admit(in PieceHead message, long payload)
    {
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

        if (message.Offset != (ulong)received || payload > nodeBytes - received)
            throw new FormatException($"offset {message.Offset} of {wanted} does not follow {received}");
        if (payload == 0 && nodeBytes > 0)
            throw new FormatException($"an empty chunk of {wanted}");
        if (message.Last && received + payload < nodeBytes)
            throw new FormatException($"{wanted} ended before its node was complete");
    }

    private void HandOver(ReadOnlySpan<byte> part, bool inPlace)
    {
        receive!(new PieceChunk { Id = wanted, Node = node, NodeBytes = nodeBytes, Offset = received, Payload = part, InPlace = inPlace, Counts = counts });
        received += part.Length;
    }
}
