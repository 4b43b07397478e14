using System.Buffers;

namespace AdderNet.Protos.Rpc;

/// <summary>
/// A marshaller of messages that end in a large payload, which the transport can put right where it belongs while it arrives. It holds the
/// state of one call's reader.
/// </summary>
public interface IRpcIntake<T> : IRpcMarshaller<T>
{
    /// <summary>Looks at a message that begins to arrive.</summary>
    /// <param name="start">Its first bytes, or all.</param>
    /// <param name="length">Bytes of the whole message.</param>
    /// <returns>Bytes of the head; null: read this message as a whole, with <see cref="IRpcMarshaller{T}.Read"/>.</returns>
    int? Begin(in ReadOnlySequence<byte> start, int length);

    /// <summary>Where the transport is to put the payload's next bytes: from one to all that are left.</summary>
    Memory<byte> Place(int left);

    /// <summary>The bytes that the last <see cref="Place"/> made room for have arrived.</summary>
    void Placed();

    /// <summary>The whole payload has arrived.</summary>
    T End();
}
