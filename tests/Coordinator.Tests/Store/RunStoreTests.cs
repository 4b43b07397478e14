using System.Collections.Immutable;
using AdderNet.Coordinator.RunLogic;
using AdderNet.Coordinator.Store;
using AdderNet.Core.Sharding;
using Xunit;

namespace AdderNet.Coordinator.Tests.Store;

/// <summary>What every store must do; run on each kind.</summary>
public abstract class RunStoreTests : IAsyncLifetime
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(500);
    private static readonly ImmutableArray<GenerationMember> Members =
        [new("a", "http://a", new ShardRange(0, 3), true), new("b", "http://b", new ShardRange(3, 8), true)];

    private TestStore place = null!;

    public async Task InitializeAsync() => place = await CreateAsync();

    public async Task DisposeAsync() => await place.DisposeAsync();

    /// <summary>An empty place for a store.</summary>
    protected abstract Task<TestStore> CreateAsync();

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
        await using var first = place.Open();
        await using var second = place.Open();
        Assert.Null(await first.AcquireAsync("first", Lease, _ => false, default));
        Assert.Equal("first", await second.AcquireAsync("second", Lease, _ => false, default));

        await place.LetPassAsync(TimeSpan.FromSeconds(400));
        await first.RenewAsync(Lease, default);
        await place.LetPassAsync(TimeSpan.FromSeconds(400));
        Assert.Equal("first", await second.AcquireAsync("second", Lease, _ => false, default));
        await place.LetPassAsync(TimeSpan.FromSeconds(200));
        Assert.Null(await second.AcquireAsync("second", Lease, _ => false, default));
        await Assert.ThrowsAsync<FencingLostException>(() => first.RenewAsync(Lease, default));
    }

    [Fact]
    public async Task Those_who_share_an_owner_share_its_lease_while_it_lives_and_fence_off_who_slept_through_its_end()
    {
        var silos = new LeaseOwner("silos", IsShared: true);
        await using var first = place.Open();
        await using var second = place.Open();
        await using var third = place.Open();
        Assert.Null(await first.AcquireAsync(silos, Lease, _ => false, default));
        Assert.Null(await second.AcquireAsync(silos, Lease, _ => false, default));
        await first.RenewAsync(Lease, default);

        await place.LetPassAsync(TimeSpan.FromSeconds(600));
        Assert.Null(await third.AcquireAsync(silos, Lease, _ => false, default));
        await Assert.ThrowsAsync<FencingLostException>(() => first.RenewAsync(Lease, default));
        await Assert.ThrowsAsync<FencingLostException>(() => second.RenewAsync(Lease, default));
        await third.RenewAsync(Lease, default);
    }

    [Fact]
    public async Task Who_drives_a_run_loses_its_lease_with_the_stores()
    {
        await using var first = place.Open();
        await using var second = place.Open();
        Assert.Null(await first.AcquireAsync("first", Lease, _ => false, default));
        var run = first.Of("run-1");
        Assert.Null(await run.AcquireAsync("first", TimeSpan.FromDays(1), _ => false, default));
        await run.RenewAsync(TimeSpan.FromDays(1), default);

        await place.LetPassAsync(TimeSpan.FromSeconds(600));
        Assert.Null(await second.AcquireAsync("second", Lease, _ => false, default));
        await Assert.ThrowsAsync<FencingLostException>(() => run.RenewAsync(TimeSpan.FromDays(1), default));
    }

    [Fact]
    public async Task The_lease_of_a_process_that_is_gone_is_not_waited_for()
    {
        await using var first = await HeldAsync();
        await using var second = place.Open();
        Assert.Null(await second.AcquireAsync("second", Lease, owner => owner == "me", default));
    }

    [Fact]
    public async Task Of_two_coordinators_only_the_one_with_the_highest_token_makes_a_generation()
    {
        await using var first = await HeldAsync();
        var id = (await first.CreateRunAsync(Run("/out"), default)).RunId;
        await using var second = place.Open();
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
        await using var second = place.Open();
        await second.AcquireAsync("second", Lease, _ => true, default);

        Func<Task>[] writes =
        [
            () => first.CreateRunAsync(Run("/other"), default),
            () => first.ResubmitRunAsync(id, Run("/out"), default),
            () => first.RecordProgressAsync(id, Progress(RunCondition.Failed, 9), default),
            () => first.RecordEvaluationAsync(id, new EvaluationRecord(1, 1, 1, 1, 1), default),
            () => first.ForgetCheckpointAsync(id, "x", default),
            () => first.CutHistoryAsync(id, 0, default),
            () => first.AddHistoryAsync(id, "warning", 1, "x", default),
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
            await place.FillDiskAsync();
            var error = await Assert.ThrowsAsync<StoreException>(() => store.TryMakeGenerationAsync("lenet5-mnist-1", 1, Members, 0, "start", default));
            Assert.Contains("disk is full", error.Message);
            Assert.DoesNotContain('\n', error.Message);
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
        await place.ExecuteAsync("UPDATE schema_version SET version = 9");
        await using var store = place.Open();
        var error = await Assert.ThrowsAsync<StoreException>(() => store.AcquireAsync("me", Lease, _ => true, default));
        Assert.Contains("schema version 9", error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public async Task A_store_of_the_first_version_is_upgraded_and_keeps_what_it_holds()
    {
        await place.MakeFirstVersionAsync();
        await place.ExecuteAsync("INSERT INTO coordinator_lease VALUES (1, 7, 'old', 0)");
        await place.ExecuteAsync(
            "INSERT INTO runs (id, description, initial_weights, expected_workers, output, state, reason, step, training_seconds, totals, created_ms) VALUES ('lenet5-1', 'd', '', 2, '/out', 'training', 'why', 40, 1.5, '{}', 5)");
        await place.ExecuteAsync("INSERT INTO history (run_id, at_ms, kind, text) VALUES ('lenet5-1', 1000, 'joined', 'a was welcomed')");
        await place.ExecuteAsync("INSERT INTO generations VALUES ('lenet5-1', 3, 7, '[]', 30, 'start', 1)");

        await using var store = await HeldAsync();
        Assert.Equal($"{StoreSchema.Version}", await place.ValueAsync("SELECT version FROM schema_version"));
        Assert.Equal("8", await place.ValueAsync("SELECT token FROM coordinator_lease"));
        Assert.Equal(("lenet5-1", 40L), Assert.Single(await store.ListRunsAsync(default)) is var run ? (run.RunId, run.Step) : default);
        Assert.True(await store.TryMakeGenerationAsync("lenet5-1", 4, Members, 40, "upgraded", default));
        Assert.Equal(["joined", "generation"], (await store.ReadHistoryAsync("lenet5-1", default)).Select(h => h.Kind));
    }

    [Fact]
    public async Task A_store_that_an_older_build_still_holds_is_not_upgraded_under_it()
    {
        await place.MakeFirstVersionAsync();
        await place.ExecuteAsync("INSERT INTO coordinator_lease VALUES (1, 7, 'old build', 99999999999999)");
        await using var store = place.Open();
        Assert.Equal("old build", await store.AcquireAsync("me", Lease, _ => false, default));
        Assert.Equal("1", await place.ValueAsync("SELECT version FROM schema_version"));
    }

    [Fact]
    public async Task A_store_that_belongs_to_another_cluster_is_refused_in_one_line()
    {
        await (await HeldAsync()).DisposeAsync();
        await using var store = place.Open("testing");
        var error = await Assert.ThrowsAsync<StoreException>(() => store.AcquireAsync("me", Lease, _ => true, default));
        Assert.Contains("belongs to cluster 'addernet', this coordinator to 'testing'", error.Message);
        Assert.DoesNotContain('\n', error.Message);
        await using var ours = place.Open();
        Assert.Null(await ours.AcquireAsync("me", Lease, _ => true, default));
    }

    [Fact]
    public async Task History_keeps_generations_evaluations_and_checkpoints_with_hashes_in_order_even_of_files_that_are_gone()
    {
        await using var store = await HeldAsync();
        var id = (await store.CreateRunAsync(Run("/out"), default)).RunId;
        await store.TryMakeGenerationAsync(id, 1, Members, 0, "the run starts", default);
        await store.AddHistoryAsync(id, "warning", 3, "slow", default);
        await store.RecordCheckpointAsync(id, new CheckpointRecord(5, CheckpointKind.Periodic, "five", "abc", 7, "def", 1), default);
        await store.RecordEvaluationAsync(id, new EvaluationRecord(5, 10, 9, 10, 1), default);
        await store.ForgetCheckpointAsync(id, "five", default);
        await store.RecordProgressAsync(id, Progress(RunCondition.Completed, 6), default);

        var history = await store.ReadHistoryAsync(id, default);
        Assert.Equal(
            [("submitted", 0L), ("generation", 0L), ("warning", 3L), ("checkpoint", 5L), ("evaluation", 5L), ("completed", 6L)],
            history.Select(h => (h.Kind, h.Step)));
        Assert.Contains("the run starts", history[1].Text);
        Assert.Contains("sha256 abc, weights hash def", history[3].Text);
        Assert.All(history, h => Assert.InRange(h.At, DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(200)));
    }

    private static NewRun Run(string output) => new("lenet5-mnist", "model: {name: lenet5}", "", 2, output);

    private static RecordProgress Progress(RunCondition condition, long step) => new(
        condition, "why", step, TimeSpan.FromSeconds(12.5),
        ImmutableSortedDictionary<string, WorkerTotals>.Empty.Add("a", new WorkerTotals(50, 200, 3)));

    private async Task<IRunStore> HeldAsync()
    {
        var store = place.Open();
        Assert.Null(await store.AcquireAsync("me", Lease, _ => false, default));
        return store;
    }
}
