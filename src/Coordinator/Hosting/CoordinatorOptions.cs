using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace AdderNet.Coordinator;

/// <summary>Where a coordinator listens and what it remembers runs in.</summary>
public sealed record CoordinatorOptions
{
    /// <summary><c>http://host:port</c> or https; port 0 takes any free one.</summary>
    public required Uri Listen { get; init; }

    /// <summary><c>sqlite:FILE</c>.</summary>
    public required string Store { get; init; }

    /// <summary>The certificate of an https coordinator.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>Roots that must have signed workers' and clients' certificates.</summary>
    public X509Certificate2Collection? ClientRoots { get; init; }

    /// <summary>Where it logs; null: nowhere.</summary>
    public ILoggerFactory? Loggers { get; init; }

    /// <summary>Its clock.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>How long another coordinator must wait for the store when this one vanishes without a trace.</summary>
    public TimeSpan StoreLease { get; init; } = TimeSpan.FromSeconds(5);
}
