using AdderNet.Coordinator.Tests.Store;
using Xunit;

namespace AdderNet.Coordinator.Tests.Hosting;

public sealed class CoordinatorOnSqliteTests : SoleCoordinatorTests
{
    protected override Task<TestStore> CreateAsync() => Task.FromResult<TestStore>(new SqliteTestStore());
}

[Collection(PostgresCollection.Name)]
public sealed class CoordinatorOnPostgresTests(PostgresServer server) : SoleCoordinatorTests
{
    protected override async Task<TestStore> CreateAsync() => await server.CreateAsync();
}
