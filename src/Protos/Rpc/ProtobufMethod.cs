using Google.Protobuf;

namespace AdderNet.Protos.Rpc;

/// <summary>Builds method descriptions for services whose messages are Protocol Buffers.</summary>
public static class ProtobufMethod
{
    /// <summary>Describes a method with the default marshallers on both sides.</summary>
    public static RpcMethod<TRequest, TResponse> Create<TRequest, TResponse>(
        string service, string name, RpcKind kind, MessageParser<TRequest> request, MessageParser<TResponse> response)
        where TRequest : IMessage<TRequest>
        where TResponse : IMessage<TResponse>
        => new(service, name, kind, new ProtobufMarshaller<TRequest>(request), new ProtobufMarshaller<TResponse>(response));
}
