using AdderNet.Coordinator.Store;
using AdderNet.Coordinator.Store.Sqlite;
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

    /// <summary>Otherwise what it compiles to would be kept anew for each renewal of a lease, as long as the coordinator lives.</summary>
    [Fact]
    public async Task A_statement_that_asks_for_the_time_has_the_same_text_at_any_time_and_is_told_the_present_one()
    {
        var directory = Directory.CreateTempSubdirectory("addernet-clock-");
        try
        {
            var clock = new SetClock();
            await using var database = SqliteDatabase.Open(Path.Combine(directory.FullName, "runs.db"), clock, watch: null);
            var text = database.Now;

            Assert.Equal(1_000, await ReadAsync());
            clock.Milliseconds = 77_000;
            Assert.Equal(77_000, await ReadAsync());
            Assert.Equal(text, database.Now);

            Task<long> ReadAsync() => database.TransactAsync("read", transaction => transaction.ValueAsync<long>($"SELECT {text}"), CancellationToken.None);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    protected override Task<TestStore> CreateAsync() => Task.FromResult<TestStore>(new SqliteTestStore());

    private sealed class SetClock : TimeProvider
    {
        public long Milliseconds { get; set; } = 1_000;

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(Milliseconds);
    }
}
