using AdderNet.Coordinator.Tests.Store;
using AdderNet.Protos.Rpc;
using Xunit;
using Xunit.Abstractions;

namespace AdderNet.Coordinator.Tests.Faults;

/// <summary>A coordinator process that kill -9 ends between any two statements of its store.</summary>
public abstract class StatementTests(ITestOutputHelper log)
{
    private const int Steps = 2;
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    /// <summary>Output directories of submitted runs, with the id that was answered; null: the coordinator died first.</summary>
    private readonly Dictionary<string, string?> submitted = [];

    /// <summary>Those that were submitted again for one more step.</summary>
    private readonly HashSet<string> longer = [];

    [Fact]
    public async Task Killing_the_coordinator_between_any_two_statements_makes_nothing_twice_and_forgets_nothing()
    {
        await using var place = await CreateAsync();
        var directory = Directory.CreateTempSubdirectory("addernet-faults-");
        try
        {
            var points = Path.Combine(directory.FullName, "points");
            var address = CoordinatorProcess.FreeAddress();
            await using var crew = new Crew(address, "a", "b");

            // Making the tables is one transaction: as long as it is cut short, the next life makes them anew.
            var statement = 1;
            while (await LiveAsync(place.Address, address, points, NewOutput(directory, "first"), $"AcquireAsync, after statement {statement}") is var status && status == CoordinatorProcess.Killed)
                statement++;
            log.WriteLine($"{statement - 1} statements make the tables");
            File.Delete(points);

            // A calm life shows the places that there are; lives that take up what a dead one left show more.
            Assert.Equal(0, await LiveAsync(place.Address, address, points, NewOutput(directory, "calm"), dieAt: null));
            var done = new List<string>();
            while (File.ReadAllLines(points).Distinct().Except(done).FirstOrDefault(p => !p.StartsWith("List", StringComparison.Ordinal) && !p.StartsWith("Read", StringComparison.Ordinal) && Tries(p)) is { } point)
            {
                var ended = await LiveAsync(place.Address, address, points, NewOutput(directory, $"run{done.Count}"), point);
                Assert.True(ended == CoordinatorProcess.Killed, $"the coordinator was to die at {point}, but ended with {ended}");
                done.Add(point);
            }

            Assert.Equal(0, await LiveAsync(place.Address, address, points, NewOutput(directory, "last"), dieAt: null));
            log.WriteLine($"{done.Count} places:\n{string.Join('\n', done.Order())}");
            Assert.All(
                ["AcquireAsync", "ReleaseAsync", "ResubmitRunAsync", "RenewAsync", "CreateRunAsync", "RecordFactsAsync", "TryMakeGenerationAsync", "RecordCheckpointAsync", "RecordEvaluationAsync", "RecordProgressAsync"],
                operation => Assert.Contains(done, point => point.StartsWith(operation, StringComparison.Ordinal)));

            await using var store = place.Open();
            var runs = await store.ListRunsAsync(default);
            Assert.Equal(runs.Count, runs.Select(r => r.Output).Distinct().Count());
            Assert.Equal(submitted.Keys.Order(), runs.Select(r => r.Output).Order());
            foreach (var run in runs)
            {
                Assert.True(submitted[run.Output] is null || submitted[run.Output] == run.RunId);
                await Runs.AssertWholeAsync(store, run, StepsOf(run.Output), crew);
            }
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    /// <summary>Whether the coordinator is killed at this place.</summary>
    protected virtual bool Tries(string point) => true;

    /// <summary>An empty place for a store.</summary>
    protected abstract Task<TestStore> CreateAsync();

    private static string NewOutput(DirectoryInfo directory, string name) => Path.Combine(directory.FullName, name);

    /// <summary>One life: what was left unanswered and one more run are submitted, all are trained to their end, and the coordinator is asked to stop.</summary>
    private async Task<int> LiveAsync(string store, Uri address, string points, string output, string? dieAt)
    {
        await using var coordinator = CoordinatorProcess.Start(store, address, points, Lease, dieAt: dieAt);
        using var limit = new CancellationTokenSource(Limit, TimeProvider.System);
        bool IsOver() => limit.IsCancellationRequested ? throw new TimeoutException($"this life did not end: {dieAt}") : coordinator.HasEnded;

        submitted[output] = null;
        if (await coordinator.Listening is not null)
        {
            await SubmitAsync();
            await Runs.FinishAsync(address, IsOver);
            if (dieAt?.StartsWith("Resubmit", StringComparison.Ordinal) == true && longer.Add(output))
            {
                submitted[output] = null;
                await SubmitAsync();
            }

            // The lease is renewed every now and then, whatever the runs do.
            while (dieAt?.StartsWith("RenewAsync", StringComparison.Ordinal) == true && !IsOver())
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, limit.Token);
        }

        coordinator.Stop();
        var (status, errors) = await coordinator.EndAsync();
        Assert.True(errors.Length == 0 || status == CoordinatorProcess.Killed, errors);
        return status;

        async Task SubmitAsync()
        {
            foreach (var unanswered in submitted.Where(s => s.Value is null).Select(s => s.Key).ToList())
            {
                var reply = await Runs.AskAsync(address, client => client.UnaryAsync(CoordinationMethods.SubmitRun, Runs.Describe(unanswered, StepsOf(unanswered)), null, default), IsOver);
                submitted[unanswered] = reply?.RunId;
            }
        }
    }

    private int StepsOf(string output) => longer.Contains(output) ? Steps + 1 : Steps;
}

public sealed class StatementsOnSqliteTests(ITestOutputHelper output) : StatementTests(output)
{
    protected override Task<TestStore> CreateAsync() => Task.FromResult<TestStore>(new SqliteTestStore());
}

[Collection(PostgresCollection.Name)]
public sealed class StatementsOnPostgresTests(PostgresServer server, ITestOutputHelper output) : StatementTests(output)
{
    protected override async Task<TestStore> CreateAsync() => await server.CreateAsync();
}
