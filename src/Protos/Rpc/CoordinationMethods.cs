using AdderNet.Protos.V1;

namespace AdderNet.Protos.Rpc;

/// <summary>The methods of <c>addernet.v1.Coordination</c>.</summary>
public static class CoordinationMethods
{
    public const string Service = "addernet.v1.Coordination";

    public static readonly RpcMethod<WorkerMessage, CoordinatorMessage> Session =
        ProtobufMethod.Create(Service, nameof(Session), RpcKind.Duplex, WorkerMessage.Parser, CoordinatorMessage.Parser);

    public static readonly RpcMethod<SubmitRunRequest, SubmitRunReply> SubmitRun =
        ProtobufMethod.Create(Service, nameof(SubmitRun), RpcKind.Unary, SubmitRunRequest.Parser, SubmitRunReply.Parser);

    public static readonly RpcMethod<ListRunsRequest, ListRunsReply> ListRuns =
        ProtobufMethod.Create(Service, nameof(ListRuns), RpcKind.Unary, ListRunsRequest.Parser, ListRunsReply.Parser);

    public static readonly RpcMethod<GetRunRequest, RunStatus> GetRun =
        ProtobufMethod.Create(Service, nameof(GetRun), RpcKind.Unary, GetRunRequest.Parser, RunStatus.Parser);

    public static readonly RpcMethod<GetRunRequest, RunStatus> WatchRun =
        ProtobufMethod.Create(Service, nameof(WatchRun), RpcKind.ServerStreaming, GetRunRequest.Parser, RunStatus.Parser);

    public static readonly RpcMethod<ControlRunRequest, RunStatus> ControlRun =
        ProtobufMethod.Create(Service, nameof(ControlRun), RpcKind.Unary, ControlRunRequest.Parser, RunStatus.Parser);

    public static readonly RpcMethod<GetRunRequest, HistoryEvent> ReadHistory =
        ProtobufMethod.Create(Service, nameof(ReadHistory), RpcKind.ServerStreaming, GetRunRequest.Parser, HistoryEvent.Parser);
}
