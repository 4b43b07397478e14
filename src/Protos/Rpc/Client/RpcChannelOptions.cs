using System.Security.Cryptography.X509Certificates;

namespace AdderNet.Protos.Rpc;

/// <summary>How a channel connects and what it accepts.</summary>
public sealed record RpcChannelOptions
{
    /// <summary>Largest response message accepted, in bytes.</summary>
    public int MaxReceiveMessageBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Time for one attempt to connect.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Silence on a connection with calls in progress after which a ping is sent; at least 1 s.</summary>
    public TimeSpan KeepAlivePingDelay { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Time in which a ping must be answered before the connection counts as lost; at least 1 s.</summary>
    public TimeSpan KeepAlivePingTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Bytes of responses a server may send ahead of the reader, for each call: 64 KiB to 16 MiB.</summary>
    public int StreamWindowBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Opens further connections when the server's limit of calls on one is reached.</summary>
    public bool MultipleConnections { get; init; } = true;

    /// <summary>Presented to an https server that asks for one; with its private key.</summary>
    public X509Certificate2? ClientCertificate { get; init; }

    /// <summary>Roots that may have signed the server's certificate; null: those of the machine.</summary>
    public X509Certificate2Collection? TrustedRoots { get; init; }

    /// <summary>The clock of deadlines and durations.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
