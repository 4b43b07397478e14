using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace AdderNet.Protos.Rpc;

/// <summary>Puts messages into a byte stream, each behind its flag and length.</summary>
internal static class Frame
{
    /// <summary>One flag byte and a 32-bit length.</summary>
    public const int PrefixBytes = 5;

    /// <summary>Writes one message and sends it off; gives the bytes sent.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public static async ValueTask<int> SendAsync<T>(PipeWriter output, IRpcMarshaller<T> marshaller, T message, CancellationToken cancellationToken)
    {
        int size = WriteHead(output, marshaller, message);
        ReadOnlyMemory<byte> tail = marshaller.Tail(message);
        if (tail.IsEmpty)
            await output.FlushAsync(cancellationToken).ConfigureAwait(false);
        else
            await output.WriteAsync(tail, cancellationToken).ConfigureAwait(false);
        return size;
    }

    /// <summary>Writes one message to the buffers of <paramref name="output"/> without flushing; gives the bytes written.</summary>
    public static int Write<T>(PipeWriter output, IRpcMarshaller<T> marshaller, T message)
    {
        int size = WriteHead(output, marshaller, message);
        output.Write(marshaller.Tail(message).Span);
        return size;
    }

    /// <summary>All but the tail; gives the bytes of the whole.</summary>
    private static int WriteHead<T>(PipeWriter output, IRpcMarshaller<T> marshaller, T message)
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
