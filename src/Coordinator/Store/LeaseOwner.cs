using AdderNet.Coordinator.Hosting;

namespace AdderNet.Coordinator.Store;

/// <summary>Who takes a lease.</summary>
/// <param name="Name">As it is written down.</param>
/// <param name="IsShared">Several processes of this name hold the lease together; each of them renews it.</param>
internal sealed record LeaseOwner(string Name, bool IsShared)
{
    /// <summary>This process alone.</summary>
    public static LeaseOwner ThisProcess() => new(ProcessOwner.Describe(), IsShared: false);

    /// <summary>All silos of a cluster.</summary>
    public static LeaseOwner SilosOf(string cluster) => new($"the silos of cluster {cluster}", IsShared: true);
}
