using System.Runtime.InteropServices;

namespace AdderNet.Core.Checkpoints;

/// <summary>A tensor to be written or hashed. The elements are borrowed, not copied.</summary>
internal sealed class NamedTensor
{
    private const int PieceElements = 1 << 17;
    private readonly Action<ByteVisitor> visit;

    private NamedTensor(string name, TensorType type, IReadOnlyList<int> shape, int count, Action<ByteVisitor> visit)
    {
        if (shape.Aggregate(1L, (product, side) => checked(product * side)) != count)
            throw new ArgumentException($"tensor {name} of shape [{string.Join(',', shape)}] cannot hold {count} elements");
        (Name, Type, Shape, ByteLength, this.visit) = (name, type, shape, (long)count * type.Size(), visit);
    }

    /// <summary>Receives little-endian bytes, piece by piece.</summary>
    internal delegate void ByteVisitor(ReadOnlySpan<byte> bytes);

    /// <summary>State-dict name.</summary>
    public string Name { get; }

    /// <summary>Element type.</summary>
    public TensorType Type { get; }

    /// <summary>Sides, outermost first; empty for a scalar.</summary>
    public IReadOnlyList<int> Shape { get; }

    /// <summary>Bytes of all elements.</summary>
    internal long ByteLength { get; }

    /// <summary>A float32 tensor.</summary>
    public static NamedTensor Float32(string name, IReadOnlyList<int> shape, ReadOnlyMemory<float> values) => Of(name, TensorType.F32, shape, values);

    /// <summary>A float64 tensor.</summary>
    public static NamedTensor Float64(string name, IReadOnlyList<int> shape, ReadOnlyMemory<double> values) => Of(name, TensorType.F64, shape, values);

    /// <summary>An int64 tensor.</summary>
    public static NamedTensor Int64(string name, IReadOnlyList<int> shape, ReadOnlyMemory<long> values) => Of(name, TensorType.I64, shape, values);

    /// <summary>A tensor of bytes.</summary>
    public static NamedTensor UInt8(string name, IReadOnlyList<int> shape, ReadOnlyMemory<byte> values) => Of(name, TensorType.U8, shape, values);

    /// <summary>Gives all bytes in order, in pieces of at most 1 MB.</summary>
    internal void Visit(ByteVisitor visitor) => visit(visitor);

    private static NamedTensor Of<T>(string name, TensorType type, IReadOnlyList<int> shape, ReadOnlyMemory<T> values)
        where T : unmanaged
    {
        if (!BitConverter.IsLittleEndian)
            throw new PlatformNotSupportedException("tensors are stored as they lie in memory, which needs a little-endian machine");
        return new NamedTensor(name, type, shape, values.Length, visitor =>
        {
            for (var first = 0; first < values.Length; first += PieceElements)
                visitor(MemoryMarshal.AsBytes(values.Span.Slice(first, Math.Min(PieceElements, values.Length - first))));
        });
    }
}
