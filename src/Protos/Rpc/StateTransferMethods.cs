using AdderNet.Protos.V1;

namespace AdderNet.Protos.Rpc;

/// <summary>The methods of <c>addernet.v1.StateTransfer</c>.</summary>
public static class StateTransferMethods
{
    public const string Service = "addernet.v1.StateTransfer";

    public static readonly RpcMethod<DownloadRequest, StateChunk> Download =
        ProtobufMethod.Create(Service, nameof(Download), RpcKind.ServerStreaming, DownloadRequest.Parser, StateChunk.Parser);
}
