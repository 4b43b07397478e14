using System.Buffers;
using Google.Protobuf;

namespace AdderNet.Protos.Rpc;

/// <summary>The default marshaller: Protocol Buffers messages as the .proto contracts declare them.</summary>
public sealed class ProtobufMarshaller<T>(MessageParser<T> parser) : IRpcMarshaller<T>
    where T : IMessage<T>
{
    /// <inheritdoc/>
    public int Measure(T message) => message.CalculateSize();

    /// <inheritdoc/>
    public void Write(T message, IBufferWriter<byte> output) => message.WriteTo(output);

    /// <inheritdoc/>
    public T Read(in ReadOnlySequence<byte> payload) => parser.ParseFrom(payload);
}
