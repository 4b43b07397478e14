using AdderNet.Coordinator;
using AdderNet.Coordinator.Silos;

namespace AdderNet.Cli.Commands;

/// <content>Built with -p:Orleans=true only.</content>
internal static partial class CoordinatorHosts
{
    static partial void AddSilos(Dictionary<string, Func<CoordinatorOptions, CancellationToken, Task<ICoordinator>>> starts) =>
        starts[Orleans] = async (options, cancellation) => await SiloCoordinator.StartAsync(options, cancellation).ConfigureAwait(false);
}
