using AdderNet.Protos.V1;

namespace AdderNet.Protos.Rpc;

/// <summary>The methods of <c>addernet.v1.GradientExchange</c>.</summary>
public static class GradientExchangeMethods
{
    public const string Service = "addernet.v1.GradientExchange";

    public static readonly RpcMethod<PullRequest, Piece> Pull =
        ProtobufMethod.Create(Service, nameof(Pull), RpcKind.Duplex, PullRequest.Parser, Piece.Parser);

    public static readonly RpcMethod<PingRequest, PingReply> Ping =
        ProtobufMethod.Create(Service, nameof(Ping), RpcKind.Unary, PingRequest.Parser, PingReply.Parser);

    /// <summary><see cref="Pull"/>, whose pieces do not pass through message objects: they are megabytes, and many.</summary>
    /// <param name="pieces">Reads or writes what the contract calls <c>Piece</c>.</param>
    public static RpcMethod<PullRequest, T> PullWith<T>(IRpcMarshaller<T> pieces) =>
        new(Pull.Service, Pull.Name, Pull.Kind, Pull.RequestMarshaller, pieces);
}
