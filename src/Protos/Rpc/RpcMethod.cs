namespace AdderNet.Protos.Rpc;

/// <summary>One method of a contract: its name on the wire and how its messages become bytes.</summary>
/// <param name="Service">Full name of the service, such as <c>addernet.v1.Coordination</c>.</param>
/// <param name="Name">Name of the method, such as <c>Session</c>.</param>
/// <param name="Kind">How many messages each side sends.</param>
/// <param name="RequestMarshaller">Requests to and from bytes.</param>
/// <param name="ResponseMarshaller">Responses to and from bytes.</param>
public sealed record RpcMethod<TRequest, TResponse>(
    string Service,
    string Name,
    RpcKind Kind,
    IRpcMarshaller<TRequest> RequestMarshaller,
    IRpcMarshaller<TResponse> ResponseMarshaller)
{
    /// <summary>Service and method as they stand in telemetry and messages: <c>addernet.v1.Coordination/Session</c>.</summary>
    public string FullName { get; } = $"{Service}/{Name}";

    /// <summary>The HTTP path of the method: <c>/addernet.v1.Coordination/Session</c>.</summary>
    public string Path { get; } = $"/{Service}/{Name}";
}
