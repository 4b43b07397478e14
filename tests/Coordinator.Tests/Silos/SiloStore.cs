using AdderNet.Coordinator.Store;
using AdderNet.Coordinator.Tests.Store;
using Xunit;

namespace AdderNet.Coordinator.Tests.Silos;

/// <summary>A store on PostgreSQL with its tables made, and a connection that can break just after a commit.</summary>
internal sealed class SiloStore : IAsyncDisposable
{
    private readonly RunStore store;
    private int cut;

    private SiloStore(string address)
    {
        Database = StoreAddress.OpenDatabase(address, TimeProvider.System, Cut);
        store = new RunStore(Database, CoordinatorOptions.DefaultCluster);
    }

    public IStoreDatabase Database { get; }

    public static async Task<SiloStore> CreateAsync(PostgresServer server)
    {
        var made = new SiloStore((await server.CreateAsync()).Address);
        Assert.Null(await made.store.AcquireAsync("silos", TimeSpan.FromMinutes(5), _ => false, default));
        return made;
    }

    /// <summary>What the server commits without our hearing of it is done again.</summary>
    public async Task<T> TwiceAsync<T>(Func<Task<T>> write)
    {
        cut = 1;
        var result = await write();
        Assert.Equal(0, cut);
        return result;
    }

    public ValueTask DisposeAsync() => store.DisposeAsync();

    private void Cut(StorePoint point)
    {
        if (point.Committed && Interlocked.Exchange(ref cut, 0) == 1)
            throw new IOException("the connection broke");
    }
}
