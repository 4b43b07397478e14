using System.Buffers;
using System.Runtime.InteropServices;

namespace AdderNet.Worker.Exchange;

/// <summary>Sees the memory of numbers as the bytes that cross the wire, without a copy.</summary>
internal sealed class ElementBytes<T>(ReadOnlyMemory<T> elements) : MemoryManager<byte>
    where T : unmanaged
{
    /// <summary>The little-endian bytes of the elements.</summary>
    public static ReadOnlyMemory<byte> Of(ReadOnlyMemory<T> elements)
    {
        if (!BitConverter.IsLittleEndian)
            throw new PlatformNotSupportedException("Pieces travel as they lie in memory, which needs a little-endian machine.");
        return elements.IsEmpty ? ReadOnlyMemory<byte>.Empty : new ElementBytes<T>(elements).Memory;
    }

    /// <summary>The same, to be written.</summary>
    public static Memory<byte> Over(Memory<T> elements) => MemoryMarshal.AsMemory(Of(elements));

    /// <inheritdoc/>
    public override Span<byte> GetSpan() => MemoryMarshal.AsBytes(MemoryMarshal.AsMemory(elements).Span);

    /// <inheritdoc/>
    public override MemoryHandle Pin(int elementIndex = 0) =>
        throw new NotSupportedException("Pieces are read through spans and are never pinned.");

    /// <inheritdoc/>
    public override void Unpin()
    {
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
    }
}
