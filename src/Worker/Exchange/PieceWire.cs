using AdderNet.Core.Sharding;
using AdderNet.Protos.V1;
using Google.Protobuf;

namespace AdderNet.Worker.Exchange;

/// <summary>Pieces to and from their wire format.</summary>
internal static class PieceWire
{
    /// <summary>Payload bytes of one message: well under the 4 MB that official stacks accept.</summary>
    public const int ChunkBytes = 1 << 20;

    public static PullRequest Request(PieceId id, string workerId) => new() { Key = Key(id), WorkerId = workerId };

    public static PieceKey Key(PieceId id) => new()
    {
        RunId = id.RunId,
        Generation = (ulong)id.Generation,
        Step = (ulong)id.Step,
        Kind = id.Sort switch
        {
            PieceSort.Subtrees => PieceKind.Subtrees,
            PieceSort.Mean => PieceKind.Mean,
            _ => PieceKind.Statistics,
        },
        Index = (uint)id.Index,
    };

    /// <exception cref="FormatException">The key names no piece.</exception>
    public static PieceId Id(PieceKey? key)
    {
        if (key is null)
            throw new FormatException("a request for a piece has no key");
        var sort = key.Kind switch
        {
            PieceKind.Subtrees => PieceSort.Subtrees,
            PieceKind.Mean => PieceSort.Mean,
            PieceKind.Statistics => PieceSort.Statistics,
            _ => throw new FormatException($"piece kind {(int)key.Kind} is unknown; known are 1, 2 and 3"),
        };
        if (key.Generation > long.MaxValue || key.Step > long.MaxValue || key.Index > int.MaxValue)
            throw new FormatException("a piece key holds a number that is too large");
        return new PieceId(key.RunId, (long)key.Generation, (long)key.Step, sort, (int)key.Index);
    }

    /// <summary>The messages of a piece; payloads are borrowed.</summary>
    public static IEnumerable<Piece> Messages(PieceId id, IReadOnlyList<PieceNode> nodes)
    {
        var key = Key(id);
        for (var n = 0; n < nodes.Count; n++)
        {
            var (node, payload, counts) = nodes[n];
            var offset = 0;
            do
            {
                var chunk = Math.Min(ChunkBytes, payload.Length - offset);
                yield return new Piece
                {
                    Key = key,
                    Level = (uint)node.Level,
                    Node = (uint)node.Index,
                    Offset = (ulong)offset,
                    Payload = UnsafeByteOperations.UnsafeWrap(payload.Slice(offset, chunk)),
                    Counts = offset == 0 ? ToWire(counts) : null,
                    NodeBytes = (ulong)payload.Length,
                    Last = n == nodes.Count - 1 && offset + chunk == payload.Length,
                };
                offset += chunk;
            }
            while (offset < payload.Length);
        }
    }

    public static Counts ToWire(StepCounts counts) => new()
    {
        Samples = (ulong)counts.Samples,
        Correct = (ulong)counts.Correct,
        FirstNonFinite = (ulong)counts.FirstNonFinite,
    };

    public static StepCounts FromWire(Counts? counts) =>
        counts is null ? default : new StepCounts((long)counts.Samples, (long)counts.Correct, (long)counts.FirstNonFinite);
}
