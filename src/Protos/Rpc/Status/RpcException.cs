namespace AdderNet.Protos.Rpc;

/// <summary>
/// A call that ended with a status other than OK. A service throws it to answer with that status;
/// a client gets it for the status that the server sent or that its own transport found.
/// </summary>
public sealed class RpcException : Exception
{
    public RpcException(RpcStatusCode code, string detail, RpcMetadata? trailers = null, Exception? innerException = null)
        : base($"{code}: {detail}", innerException)
    {
        Code = code;
        Detail = detail;
        Trailers = trailers ?? new RpcMetadata();
    }

    /// <summary>What kind of failure.</summary>
    public RpcStatusCode Code { get; }

    /// <summary>The failure in words, without the code.</summary>
    public string Detail { get; }

    /// <summary>Metadata that came (or, thrown by a service, goes) with the status.</summary>
    public RpcMetadata Trailers { get; }
}
