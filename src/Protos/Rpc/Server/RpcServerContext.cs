using System.Security.Cryptography.X509Certificates;

namespace AdderNet.Protos.Rpc;

/// <summary>What a handler knows of the call that it answers.</summary>
public sealed class RpcServerContext
{
    internal RpcServerContext(string method, RpcMetadata metadata, DateTimeOffset? deadline, string peer,
        X509Certificate2? clientCertificate, CancellationToken cancellationToken, CancellationToken serverStopping)
    {
        Method = method;
        Metadata = metadata;
        Deadline = deadline;
        Peer = peer;
        ClientCertificate = clientCertificate;
        CancellationToken = cancellationToken;
        ServerStopping = serverStopping;
    }

    /// <summary>Service and method, such as <c>addernet.v1.Coordination/Session</c>.</summary>
    public string Method { get; }

    /// <summary>The metadata that the client sent.</summary>
    public RpcMetadata Metadata { get; }

    /// <summary>When the client gives up, by this server's clock; null: never.</summary>
    public DateTimeOffset? Deadline { get; }

    /// <summary>Address and port of the client.</summary>
    public string Peer { get; }

    /// <summary>The certificate that the client presented, already checked; null without.</summary>
    public X509Certificate2? ClientCertificate { get; }

    /// <summary>Cancelled when the client cancels or goes away, at the deadline, and when a stopping server's grace period is over.</summary>
    public CancellationToken CancellationToken { get; }

    /// <summary>Cancelled when the server begins to stop: a stream without an end of its own should now end.</summary>
    public CancellationToken ServerStopping { get; }

    /// <summary>Metadata to send ahead of the first response; without effect once that is written.</summary>
    public RpcMetadata ResponseHeaders { get; } = [];

    /// <summary>Metadata to send with the status, OK or not.</summary>
    public RpcMetadata ResponseTrailers { get; } = [];
}
