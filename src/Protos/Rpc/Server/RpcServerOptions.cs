using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace AdderNet.Protos.Rpc;

/// <summary>Where a server listens, what it offers and what it bears.</summary>
public sealed record RpcServerOptions
{
    /// <summary><c>http://host:port</c> or <c>https://host:port</c>; port 0 takes any free one, host 0.0.0.0 every IPv4 address.</summary>
    public required Uri Listen { get; init; }

    /// <summary>The services offered.</summary>
    public IReadOnlyList<IRpcService> Services { get; init; } = [];

    /// <summary>Plain HTTP routes on the same port, over HTTP/1.1 and HTTP/2, such as /healthz.</summary>
    public Action<IEndpointRouteBuilder>? Routes { get; init; }

    /// <summary>The certificate of an https server, with its private key.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>Roots that must have signed a client's certificate. Set: every client must present one. Null: none is asked for.</summary>
    public X509Certificate2Collection? ClientRoots { get; init; }

    /// <summary>Largest request message accepted, in bytes, for services that set no limit of their own.</summary>
    public int MaxReceiveMessageBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Calls that one connection may have open at once.</summary>
    public int MaxCallsPerConnection { get; init; } = 256;

    /// <summary>Bytes of requests a client may send ahead of the handler, for each call; at least 64 KiB.</summary>
    public int StreamWindowBytes { get; init; } = 1024 * 1024;

    /// <summary>The same for all calls of a connection together; at least <see cref="StreamWindowBytes"/>.</summary>
    public int ConnectionWindowBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>Silence on a connection after which a ping is sent; at least 1 s.</summary>
    public TimeSpan KeepAlivePingDelay { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Time in which a ping must be answered before the connection counts as lost; at least 1 s.</summary>
    public TimeSpan KeepAlivePingTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Time in which a new cleartext connection must say whether it speaks HTTP/1.1 or HTTP/2.</summary>
    public TimeSpan FirstBytesTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest that a message may wait for its client to take it in: to make room in its window for what the transport cannot hold. Then the call is aborted.</summary>
    public TimeSpan UntakenTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Time that a stopping server leaves calls in progress before it aborts them.</summary>
    public TimeSpan GracePeriod { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Where the server logs; null: nowhere.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    /// <summary>The clock of deadlines and durations.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
