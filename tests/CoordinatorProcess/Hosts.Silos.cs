using AdderNet.Coordinator.Silos;

namespace AdderNet.Coordinator.Processes;

/// <content>Built with -p:Orleans=true only.</content>
internal static partial class Hosts
{
    static partial void StartSilo(ref Task<ICoordinator>? silo, CoordinatorOptions options, CancellationToken cancellation)
    {
        silo = LaunchAsync();

        async Task<ICoordinator> LaunchAsync() => await SiloCoordinator.StartAsync(options, cancellation);
    }
}
