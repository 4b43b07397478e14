using System.Collections.Immutable;
using AdderNet.Coordinator.RunLogic;
using AdderNet.Coordinator.Store;
using AdderNet.Core.Sharding;
using Dapper;
using Microsoft.Data.Sqlite;
using Xunit;

namespace AdderNet.Coordinator.Tests.Store;

public sealed class SqliteRunStoreTests : IDisposable
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(5);
    private static readonly ImmutableArray<GenerationMember> Members =
        [new("a", "http://a", new ShardRange(0, 3), true), new("b", "http://b", new ShardRange(3, 8), true)];

    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("addernet-store-");

    private string File => Path.Combine(directory.FullName, "nested", "runs.db");

    public void Dispose() => directory.Delete(recursive: true);

    [Fact]
    public async Task What_was_recorded_is_read_back_by_the_next_coordinator()
    {
        var facts = new RunFacts("build", 3, "managed", "probe", "id", "data", 60_000, 10_000, ["conv1", "bn1"]) { PictureProbeHash = "pictures" };
        var checkpoint = new CheckpointRecord(50, CheckpointKind.Periodic, "checkpoints/step-00000050/state.safetensors", "sha", 7, "w", ulong.MaxValue);
        var evaluation = new EvaluationRecord(50, 10_000, 9_900, 9_990, 0.1 + 0.2);
        string id;
        await using (var store = await HeldAsync())
        {
            id = (await store.CreateRunAsync(Run("/out"), default)).RunId;
            await store.RecordFactsAsync(id, facts, default);
            Assert.True(await store.TryMakeGenerationAsync(id, 1, Members, 0, "start", default));
            await store.RecordCheckpointAsync(id, checkpoint, default);
            await store.RecordEvaluationAsync(id, evaluation, default);
            await store.RecordProgressAsync(id, Progress(RunCondition.Training, 50), default);
            await store.ReleaseAsync(default);
        }

        await using var next = await HeldAsync();
        var run = Assert.Single(await next.ListRunsAsync(default));
        Assert.Equal((id, "lenet5-mnist-1", RunCondition.Training, 50L, 12.5), (run.RunId, run.RunId, run.Condition, run.Step, run.TrainingTime.TotalSeconds));
        Assert.Equal(facts with { LayerNames = default }, run.Facts! with { LayerNames = default });
        Assert.Equal(facts.LayerNames.AsEnumerable(), run.Facts.LayerNames);
        var records = await next.ReadRecordsAsync(id, default);
        Assert.Equal(checkpoint, Assert.Single(records.Checkpoints));
        Assert.Equal(evaluation, Assert.Single(records.Evaluations));
        Assert.Equal(Members.AsEnumerable(), Assert.Single(records.Generations).Members);
        Assert.Equal(new WorkerTotals(50, 200, 3), records.Totals["a"]);
    }

    [Fact]
    public async Task A_second_coordinator_is_refused_while_the_lease_lives_and_takes_over_when_it_has_ended()
    {
        var clock = new SetClock();
        await using var first = SqliteRunStore.Open(File, clock);
        await using var second = SqliteRunStore.Open(File, clock);
        Assert.Null(await first.AcquireAsync("first", Lease, _ => false, default));
        Assert.Equal("first", await second.AcquireAsync("second", Lease, _ => false, default));

        clock.Now += TimeSpan.FromSeconds(4);
        await first.RenewAsync(Lease, default);
        clock.Now += TimeSpan.FromSeconds(4);
        Assert.Equal("first", await second.AcquireAsync("second", Lease, _ => false, default));
        clock.Now += TimeSpan.FromSeconds(2);
        Assert.Null(await second.AcquireAsync("second", Lease, _ => false, default));
        await Assert.ThrowsAsync<FencingLostException>(() => first.RenewAsync(Lease, default));
    }

    [Fact]
    public async Task The_lease_of_a_process_that_is_gone_is_not_waited_for()
    {
        await using var first = await HeldAsync();
        await using var second = SqliteRunStore.Open(File, TimeProvider.System);
        Assert.Null(await second.AcquireAsync("second", Lease, owner => owner == "me", default));
    }

    [Fact]
    public async Task Of_two_coordinators_only_the_one_with_the_highest_token_makes_a_generation()
    {
        await using var first = await HeldAsync();
        var id = (await first.CreateRunAsync(Run("/out"), default)).RunId;
        await using var second = SqliteRunStore.Open(File, TimeProvider.System);
        await second.AcquireAsync("second", Lease, _ => true, default);

        await Assert.ThrowsAsync<FencingLostException>(() => first.TryMakeGenerationAsync(id, 1, Members, 0, "mine", default));
        Assert.True(await second.TryMakeGenerationAsync(id, 1, Members, 0, "mine", default));
        Assert.False(await second.TryMakeGenerationAsync(id, 1, Members, 0, "again", default));
        Assert.False(await second.TryMakeGenerationAsync(id, 3, Members, 0, "a gap", default));
        Assert.Equal("mine", Assert.Single((await second.ReadRecordsAsync(id, default)).Generations).Reason);
    }

    [Fact]
    public async Task Every_kind_of_write_is_refused_after_the_store_was_lost()
    {
        await using var first = await HeldAsync();
        var id = (await first.CreateRunAsync(Run("/out"), default)).RunId;
        await using var second = SqliteRunStore.Open(File, TimeProvider.System);
        await second.AcquireAsync("second", Lease, _ => true, default);

        Func<Task>[] writes =
        [
            () => first.CreateRunAsync(Run("/other"), default),
            () => first.ResubmitRunAsync(id, Run("/out"), default),
            () => first.RecordProgressAsync(id, Progress(RunCondition.Failed, 9), default),
            () => first.RecordEvaluationAsync(id, new EvaluationRecord(1, 1, 1, 1, 1), default),
            () => first.ForgetCheckpointAsync(id, "x", default),
            () => first.CutHistoryAsync(id, 0, default),
            () => first.AddHistoryAsync(id, "warning", "x", default),
        ];
        foreach (var write in writes)
            await Assert.ThrowsAsync<FencingLostException>(write);
        Assert.Equal(RunCondition.Waiting, Assert.Single(await second.ListRunsAsync(default)).Condition);
    }

    [Fact]
    public async Task A_write_that_fails_half_way_leaves_nothing_behind()
    {
        await using (var store = await HeldAsync())
        {
            await store.CreateRunAsync(Run("/out"), default);
            // The second statement of making a generation is stopped: its first one must not stay.
            await ExecuteAsync("CREATE TRIGGER stop BEFORE UPDATE OF state ON runs BEGIN SELECT RAISE(ABORT, 'the disk is full'); END");
            var error = await Assert.ThrowsAsync<StoreException>(() => store.TryMakeGenerationAsync("lenet5-mnist-1", 1, Members, 0, "start", default));
            Assert.Contains("the disk is full", error.Message);
            Assert.Empty((await store.ReadRecordsAsync("lenet5-mnist-1", default)).Generations);
        }
    }

    [Fact]
    public async Task Cutting_history_forgets_only_what_lies_beyond_the_step()
    {
        await using var store = await HeldAsync();
        var id = (await store.CreateRunAsync(Run("/out"), default)).RunId;
        foreach (var step in new[] { 40, 50, 60 })
        {
            await store.RecordEvaluationAsync(id, new EvaluationRecord(step, 1, 1, 1, 1), default);
            await store.RecordCheckpointAsync(id, new CheckpointRecord(step, CheckpointKind.Periodic, $"{step}", "", 1, "", 0), default);
        }

        await store.CutHistoryAsync(id, 50, default);
        await store.ForgetCheckpointAsync(id, "40", default);
        var records = await store.ReadRecordsAsync(id, default);
        Assert.Equal([40L, 50L], records.Evaluations.Select(e => e.Step));
        Assert.Equal([50L], records.Checkpoints.Select(c => c.Step));
    }

    [Fact]
    public async Task A_run_submitted_again_keeps_its_id_and_facts_but_not_its_workers_build()
    {
        await using var store = await HeldAsync();
        var id = (await store.CreateRunAsync(Run("/out"), default)).RunId;
        await store.RecordFactsAsync(id, new RunFacts("build", 3, "managed", "probe", "id", "data", 1, 1, []), default);
        var again = await store.ResubmitRunAsync(id, Run("/out") with { Description = "more steps" }, default);
        Assert.Equal((id, "more steps", "", "id"), (again.RunId, again.Description, again.Facts!.Build, again.Facts.Identity));
    }

    [Fact]
    public async Task A_store_of_a_newer_build_is_refused_in_one_line()
    {
        await (await HeldAsync()).DisposeAsync();
        await ExecuteAsync("UPDATE schema_version SET version = 9");
        var error = Assert.Throws<StoreException>(() => SqliteRunStore.Open(File, TimeProvider.System));
        Assert.Contains("schema version 9", error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void A_file_that_is_no_database_is_refused_in_one_line()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(File)!);
        System.IO.File.WriteAllText(File, new string('x', 5000));
        Assert.Contains("cannot be opened", Assert.Throws<StoreException>(() => SqliteRunStore.Open(File, TimeProvider.System)).Message);
    }

    private static NewRun Run(string output) => new("lenet5-mnist", "model: {name: lenet5}", "", 2, output);

    private static RecordProgress Progress(RunCondition condition, long step) => new(
        condition, "why", step, TimeSpan.FromSeconds(12.5),
        ImmutableSortedDictionary<string, WorkerTotals>.Empty.Add("a", new WorkerTotals(50, 200, 3)));

    private async Task<SqliteRunStore> HeldAsync()
    {
        var store = SqliteRunStore.Open(File, TimeProvider.System);
        Assert.Null(await store.AcquireAsync("me", Lease, _ => false, default));
        return store;
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new SqliteConnection($"Data Source={File};Pooling=False");
        await connection.ExecuteAsync(sql);
    }

    private sealed class SetClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
