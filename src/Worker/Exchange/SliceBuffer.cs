using System.Runtime.InteropServices;

namespace AdderNet.Worker.Exchange;

/// <summary>
/// Where one lane's chunks become slices: a chunk may begin and end anywhere, even within an element. Small enough to stay in
/// the cache.
/// </summary>
internal sealed class SliceBuffer
{
    private const int SliceBytes = BucketReduction.SliceLength * sizeof(float);
    private readonly byte[] bytes = new byte[SliceBytes];

    /// <summary>Where the next bytes of a node of the bucket may be put, up to the end of their slice; empty beyond the bucket.</summary>
    public Memory<byte> Place(int offset, int length, BucketReduction reduction)
    {
        var (index, within) = (offset / SliceBytes, offset % SliceBytes);
        var room = (reduction.LengthOf(index) * sizeof(float)) - within;
        return room > 0 ? bytes.AsMemory(within, Math.Min(length, room)) : default;
    }

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
            var whole = reduction.LengthOf(index) * sizeof(float);
            var part = payload[..Math.Min(payload.Length, whole - within)];
            if (!chunk.InPlace)
                part.CopyTo(bytes.AsSpan(within));
            if (within + part.Length == whole)
                complete |= reduction.Add(index, chunk.Node, MemoryMarshal.Cast<byte, float>(bytes.AsSpan(0, whole)), chunk.Counts);
            payload = payload[part.Length..];
            offset += part.Length;
        }

        return complete;
    }
}
