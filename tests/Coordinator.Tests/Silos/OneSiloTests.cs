using AdderNet.Coordinator.Silos;
using AdderNet.Coordinator.Tests.Hosting;
using AdderNet.Coordinator.Tests.Store;

namespace AdderNet.Coordinator.Tests.Silos;

/// <summary>One silo on a file: the states of grains in memory.</summary>
public sealed class OneSiloTests : SoleCoordinatorTests
{
    protected override Task<TestStore> CreateAsync() => Task.FromResult<TestStore>(new SqliteTestStore());

    protected override async Task<ICoordinator> LaunchAsync(CoordinatorOptions options, CancellationToken cancellation) =>
        await SiloCoordinator.StartAsync(options, cancellation);
}
