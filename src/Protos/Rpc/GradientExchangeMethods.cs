using AdderNet.Protos.V1;

namespace AdderNet.Protos.Rpc;

/// <summary>The methods of <c>addernet.v1.GradientExchange</c>.</summary>
public static class GradientExchangeMethods
{
    public const string Service = "addernet.v1.GradientExchange";

    public static readonly RpcMethod<PullRequest, Piece> Pull =
        ProtobufMethod.Create(Service, nameof(Pull), RpcKind.Duplex, PullRequest.Parser, Piece.Parser);
}
