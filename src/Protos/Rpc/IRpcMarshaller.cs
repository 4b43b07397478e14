using System.Buffers;

namespace AdderNet.Protos.Rpc;

/// <summary>
/// Turns messages into bytes and back. The one place to put another wire format, or to move large payloads without copying them
/// through message objects: the transport asks for the size, writes the length prefix, and hands over its own buffers.
/// </summary>
/// <remarks>Implementations hold no state of a call and are used by many calls at once.</remarks>
public interface IRpcMarshaller<T>
{
    /// <summary>The exact number of bytes of this message: what <see cref="Write"/> writes and the <see cref="Tail"/>.</summary>
    int Measure(T message);

    /// <summary>Writes the message, all but its <see cref="Tail"/>, to the transport's own buffers.</summary>
    void Write(T message, IBufferWriter<byte> output);

    /// <summary>
    /// The end of the message, where it lies: a large payload goes to the transport in one piece. Must stay as it is until the
    /// message was sent. Empty: <see cref="Write"/> writes everything.
    /// </summary>
    ReadOnlyMemory<byte> Tail(T message) => default;

    /// <summary>
    /// Reads one message. The bytes belong to the transport and are valid only until this returns.
    /// Bytes that are no such message: any exception; the call then ends with <see cref="RpcStatusCode.Internal"/>.
    /// </summary>
    T Read(in ReadOnlySequence<byte> payload);
}
