using AdderNet.Coordinator.Store;
using Xunit;

namespace AdderNet.Coordinator.Tests.Store;

public sealed class SqliteRunStoreTests : RunStoreTests
{
    [Fact]
    public async Task A_file_that_is_no_database_is_refused_in_one_line()
    {
        await using var place = new SqliteTestStore();
        Directory.CreateDirectory(Path.GetDirectoryName(place.File)!);
        await File.WriteAllTextAsync(place.File, new string('x', 5000));
        var error = Assert.Throws<StoreException>(() => place.Open());
        Assert.Contains("cannot be opened", error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    protected override Task<TestStore> CreateAsync() => Task.FromResult<TestStore>(new SqliteTestStore());
}
