using AdderNet.Protos.V1;

namespace AdderNet.Worker.Exchange;

/// <summary>Pieces to and from their wire format.</summary>
internal static class PieceWire
{
    /// <summary>
    /// Payload bytes of one message: well under the 4 MB that official stacks accept, and many enough that what a message costs
    /// its sender, a flush above all, is little beside them.
    /// </summary>
    public const int ChunkBytes = 1 << 20;

    public static PullRequest Request(PieceId id, string workerId) => new() { Key = Key(id), WorkerId = workerId };

    public static PieceKey Key(PieceId id) => new()
    {
        RunId = id.RunId,
        Generation = (ulong)id.Generation,
        Step = (ulong)id.Step,
        Kind = Kind(id.Sort),
        Index = (uint)id.Index,
    };

    public static PieceKind Kind(PieceSort sort) => sort switch
    {
        PieceSort.Subtrees => PieceKind.Subtrees,
        PieceSort.GroupSums => PieceKind.GroupSums,
        PieceSort.Mean => PieceKind.Mean,
        _ => PieceKind.Statistics,
    };

    /// <exception cref="FormatException">The key names no piece.</exception>
    public static PieceId Id(PieceKey? key)
    {
        if (key is null)
            throw new FormatException("a request for a piece has no key");
        var sort = key.Kind switch
        {
            PieceKind.Subtrees => PieceSort.Subtrees,
            PieceKind.GroupSums => PieceSort.GroupSums,
            PieceKind.Mean => PieceSort.Mean,
            PieceKind.Statistics => PieceSort.Statistics,
            _ => throw new FormatException($"piece kind {(int)key.Kind} is unknown; known are 1 to 4"),
        };
        if (key.Generation > long.MaxValue || key.Step > long.MaxValue || key.Index > int.MaxValue)
            throw new FormatException("a piece key holds a number that is too large");
        return new PieceId(key.RunId, (long)key.Generation, (long)key.Step, sort, (int)key.Index);
    }

    /// <summary>The messages of a piece; payloads are borrowed.</summary>
    public static IEnumerable<PieceMessage> Messages(PieceId id, IReadOnlyList<PieceNode> nodes)
    {
        for (var n = 0; n < nodes.Count; n++)
        {
            var (node, payload, counts) = nodes[n];
            var offset = 0;
            do
            {
                var chunk = Math.Min(ChunkBytes, payload.Length - offset);
                var last = n == nodes.Count - 1 && offset + chunk == payload.Length;
                yield return new PieceMessage(id, node, payload.Length, offset, payload.Slice(offset, chunk), offset == 0 ? counts : null, last);
                offset += chunk;
            }
            while (offset < payload.Length);
        }
    }
}
