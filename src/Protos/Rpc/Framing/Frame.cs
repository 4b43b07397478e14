using System.Buffers.Binary;
using System.IO.Pipelines;

namespace AdderNet.Protos.Rpc;

/// <summary>Puts messages into a byte stream, each behind its flag and length.</summary>
internal static class Frame
{
    /// <summary>One flag byte and a 32-bit length.</summary>
    public const int PrefixBytes = 5;

    /// <summary>Writes one message to the buffers of <paramref name="output"/> without flushing; gives the bytes written.</summary>
    public static int Write<T>(PipeWriter output, IRpcMarshaller<T> marshaller, T message)
    {
        int size = marshaller.Measure(message);
        Span<byte> prefix = output.GetSpan(PrefixBytes);
        prefix[0] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(prefix[1..], (uint)size);
        output.Advance(PrefixBytes);
        marshaller.Write(message, output);
        return PrefixBytes + size;
    }
}
