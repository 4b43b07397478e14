using System.Net;
using System.Security.Cryptography.X509Certificates;
using AdderNet.Coordinator.Store;
using Microsoft.Extensions.Logging;

namespace AdderNet.Coordinator;

/// <summary>Where a coordinator listens and what it remembers runs in.</summary>
public sealed record CoordinatorOptions
{
    /// <summary>The name of a cluster that was given none.</summary>
    public const string DefaultCluster = "addernet";

    /// <summary><c>http://host:port</c> or https; port 0 takes any free one.</summary>
    public required Uri Listen { get; init; }

    /// <summary><c>sqlite:FILE</c> or <c>postgres:CONNECTION</c>, see <see cref="StoreAddress"/>.</summary>
    public required string Store { get; init; }

    /// <summary>Whose store it must be; one that is used for the first time becomes so.</summary>
    public string Cluster { get; init; } = DefaultCluster;

    /// <summary>While another coordinator holds the store, waits to take over rather than fail.</summary>
    public bool Standby { get; init; }

    /// <summary>Where other silos reach this one, for a host of silos; port 0, or null: any free port of this machine alone.</summary>
    public IPEndPoint? Silo { get; init; }

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

    /// <summary>Told of every place between two statements of the store: where tests let the process die.</summary>
    internal Action<StorePoint>? StoreWatch { get; init; }
}
