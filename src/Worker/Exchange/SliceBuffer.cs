using System.Runtime.InteropServices;

namespace AdderNet.Worker.Exchange;

/// <summary>
/// Where one lane's chunks become slices: a chunk may begin and end anywhere, even within an element. Small enough to stay in
/// the cache.
/// </summary>
internal sealed class SliceBuffer
{
    private const int SliceBytes = BucketReduction.SliceLength * sizeof(float);
    private readonly float[] elements = new float[BucketReduction.SliceLength];

    /// <summary>Takes a chunk of a node of the bucket, and adds each slice that is complete with it.</summary>
    /// <returns>True when the bucket is complete with it.</returns>
    /// <exception cref="FormatException">The node cannot be.</exception>
    public bool Take(PieceChunk chunk, BucketReduction reduction)
    {
        var complete = false;
        var payload = chunk.Payload;
        var offset = chunk.Offset;
        while (!payload.IsEmpty)
        {
            var (index, within) = (offset / SliceBytes, offset % SliceBytes);
            var bytes = reduction.LengthOf(index) * sizeof(float);
            var part = payload[..Math.Min(payload.Length, bytes - within)];
            part.CopyTo(MemoryMarshal.AsBytes(elements.AsSpan())[within..]);
            if (within + part.Length == bytes)
                complete |= reduction.Add(index, chunk.Node, elements.AsSpan(0, bytes / sizeof(float)), chunk.Counts);
            payload = payload[part.Length..];
            offset += part.Length;
        }

        return complete;
    }
}
