using AdderNet.Coordinator.Store;
using Microsoft.Extensions.Logging;

namespace AdderNet.Coordinator.Silos;

/// <summary>What the grains of one silo share.</summary>
/// <param name="Store">The store, whose lease this silo holds together with the others.</param>
/// <param name="LeaseDuration">How long the lease of a run lasts unless it is renewed.</param>
/// <param name="Time">The clock.</param>
/// <param name="Log">Where to log.</param>
internal sealed record SiloServices(RunStore Store, TimeSpan LeaseDuration, TimeProvider Time, ILogger Log)
{
    /// <summary>The name of the storage that keeps the states of grains.</summary>
    public const string GrainStates = "states";
}
