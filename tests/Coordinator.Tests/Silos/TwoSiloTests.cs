using AdderNet.Coordinator.Tests.Faults;
using AdderNet.Coordinator.Tests.Hosting;
using AdderNet.Coordinator.Tests.Store;
using Xunit;

namespace AdderNet.Coordinator.Tests.Silos;

/// <summary>Two silo processes clustered through PostgreSQL: whoever comes next talks to the other one.</summary>
[Collection(PostgresCollection.Name)]
public sealed class TwoSiloTests(PostgresServer server) : CoordinatorHostTests
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(5);

    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("addernet-silos-");
    private readonly List<(CoordinatorProcess Process, Uri Address)> silos = [];
    private int asked;

    protected override Uri Address => silos[asked++ % silos.Count].Address;

    protected override async Task<TestStore> CreateAsync() => await server.CreateAsync();

    protected override async Task StartHostAsync(string store)
    {
        for (var silo = 0; silo < 2; silo++)
        {
            var address = CoordinatorProcess.FreeAddress();
            var process = CoordinatorProcess.Start(store, address, Path.Combine(directory.FullName, "points"), Lease, "silo");
            silos.Add((process, address));
            if (await process.Listening is null)
                Assert.Fail((await process.EndAsync()).Errors);
        }
    }

    protected override async Task StopHostAsync()
    {
        foreach (var (process, _) in silos)
            process.Stop();
        foreach (var (process, _) in silos)
        {
            Assert.Equal((0, ""), await process.EndAsync());
            await process.DisposeAsync();
        }

        silos.Clear();
    }
}
