using System.Net;
using System.Text.Json;
using AdderNet.Coordinator.Tests.Store;
using AdderNet.Core.Checkpoints;
using AdderNet.Protos.Rpc;
using AdderNet.Protos.V1;
using Xunit;

namespace AdderNet.Coordinator.Tests.Hosting;

/// <summary>What a coordinator must do whatever keeps its runs; run on each kind of store.</summary>
public abstract class CoordinatorHostTests : IAsyncLifetime
{
    private protected static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("addernet-host-");
    private TestStore place = null!;
    private RpcChannel client = null!;

    /// <summary>A coordinator that answers; where there are several, another one each time.</summary>
    protected abstract Uri Address { get; }

    private protected TestStore Place => place;

    private string Output => Path.Combine(directory.FullName, "out");

    public async Task InitializeAsync()
    {
        place = await CreateAsync();
        await StartAsync();
    }

    public async Task DisposeAsync()
    {
        await client.DisposeAsync();
        await StopHostAsync();
        await place.DisposeAsync();
        directory.Delete(recursive: true);
    }

    /// <summary>An empty place for a store.</summary>
    protected abstract Task<TestStore> CreateAsync();

    /// <summary>Starts what answers on a store.</summary>
    protected abstract Task StartHostAsync(string store);

    protected abstract Task StopHostAsync();

    [Fact]
    public async Task Two_workers_train_a_run_to_its_end_and_leave_every_file()
    {
        var reply = await SubmitAsync(expected: 2);
        Assert.Equal(("lenet5-synthetic-1", false), (reply.RunId, reply.Resumed));
        await using (var a = new FakeWorker(Address, "a"))
        await using (var b = new FakeWorker(Address, "b", wantedRun: reply.RunId))
        {
            var ended = await a.Ended.WaitAsync(Patience);
            Assert.Equal((true, "completed"), (ended!.Completed, ended.State));
            await b.Ended.WaitAsync(Patience);
        }

        var status = await GetAsync();
        Assert.Equal(("completed", 8UL, 8UL, 2U), (status.State, status.Step, status.TotalSteps, status.Epoch));
        Assert.Equal((0.8, 0.9, 8UL), (status.LastTop1, status.LastTop5, status.LastEvaluatedStep));
        Assert.Equal(64, status.WeightsHash.Length);

        var lines = Metrics();
        Assert.Equal(Enumerable.Range(1, 8), lines.Where(l => !l.TryGetProperty("top1", out _)).Select(l => l.GetProperty("step").GetInt32()));
        Assert.Equal([4, 8], lines.Where(l => l.TryGetProperty("top1", out _)).Select(l => l.GetProperty("step").GetInt32()));
        Assert.All(["epoch", "loss", "learning_rate", "samples_per_second", "world", "generation"], key => Assert.True(lines[0].TryGetProperty(key, out _), key));
        Assert.Equal(1f / 3, lines[2].GetProperty("loss").GetSingle());

        using var summary = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(Output, "summary.json")));
        Assert.Equal(64, summary.RootElement.GetProperty("workers").EnumerateArray().Sum(w => w.GetProperty("shards_computed").GetInt64()));
        Assert.Equal(status.WeightsHash, summary.RootElement.GetProperty("weights_hash").GetString());
        Assert.True(File.Exists(Path.Combine(Output, "run.yaml")));
        Assert.True(File.Exists(Path.Combine(Output, "final.safetensors")));
        Assert.Equal([6L, 8L], CheckpointDirectory.List(Output).Select(c => c.Step));
        Assert.True(File.Exists(Path.Combine(Output, CheckpointDirectory.BestFile)));
    }

    [Fact]
    public async Task A_worker_lost_mid_step_is_replaced_by_a_joiner_and_no_step_is_missing_or_written_twice()
    {
        await SubmitAsync(expected: 2);
        await using var a = new FakeWorker(Address, "a");
        await using var b = new FakeWorker(Address, "b") { BeforeVote = step => Task.FromResult(step < 3) };
        await b.Ended.WaitAsync(Patience);
        await using var c = new FakeWorker(Address, "c");
        await a.Ended.WaitAsync(Patience);

        var steps = Metrics().Where(l => !l.TryGetProperty("top1", out _)).ToArray();
        Assert.Equal(Enumerable.Range(1, 8), steps.Select(l => l.GetProperty("step").GetInt32()));
        Assert.True(steps[^1].GetProperty("generation").GetInt32() > 1);
    }

    [Fact]
    public async Task A_stopped_run_goes_on_in_another_coordinator_from_the_newest_sound_checkpoint_and_cuts_what_lies_beyond()
    {
        var (reached, free) = (new TaskCompletionSource(), new TaskCompletionSource());
        async Task<bool> Hold(ulong step)
        {
            if (step != 7)
                return true;
            reached.TrySetResult();
            await free.Task;
            return true;
        }

        var reply = await SubmitAsync();
        await using (var a = new FakeWorker(Address, "a") { BeforeVote = Hold })
        {
            await reached.Task.WaitAsync(Patience);
            await ControlAsync(reply.RunId, "stop");
            free.SetResult();
            Assert.Equal("stopped", (await a.Ended.WaitAsync(Patience))!.State);
        }

        Assert.Equal([6L, 7L], CheckpointDirectory.List(Output).Select(c => c.Step));
        await File.WriteAllBytesAsync(CheckpointDirectory.List(Output)[^1].File, [1, 2, 3]);
        await RestartAsync();
        Assert.Equal("stopped", (await GetAsync()).State);

        Assert.Equal((reply.RunId, true), await SubmitAsync() is var again ? (again.RunId, again.Resumed) : default);
        await using (var b = new FakeWorker(Address, "b"))
        {
            Assert.Equal("completed", (await b.Ended.WaitAsync(Patience))!.State);
            Assert.EndsWith("step-00000006/state.safetensors", b.Welcomed!.ResumeFrom);
        }

        Assert.Equal(Enumerable.Range(1, 8), Metrics().Where(l => !l.TryGetProperty("top1", out _)).Select(l => l.GetProperty("step").GetInt32()));
    }

    [Fact]
    public async Task A_coordinator_that_is_started_again_goes_on_with_the_members_it_had_and_restores_a_lost_metrics_line()
    {
        await SubmitAsync();
        var reached = new TaskCompletionSource();
        await using (new FakeWorker(Address, "a") { BeforeVote = step => Task.FromResult(step < 6 || !reached.TrySetResult()) })
            await reached.Task.WaitAsync(Patience);
        await RestartAsync(() =>
        {
            var path = Path.Combine(Output, "metrics.jsonl");
            File.WriteAllLines(path, File.ReadAllLines(path)[..^1]);
            File.AppendAllText(path, "{\"step\":5,\"epo");
            return Task.CompletedTask;
        });

        Assert.Equal("waiting", (await GetAsync()).State);
        await using var back = new FakeWorker(Address, "a", applied: 5);
        Assert.Equal("completed", (await back.Ended.WaitAsync(Patience))!.State);
        Assert.Equal(Enumerable.Range(1, 8), Metrics().Where(l => !l.TryGetProperty("top1", out _)).Select(l => l.GetProperty("step").GetInt32()));
    }

    [Fact]
    public async Task A_finished_run_that_is_submitted_again_says_that_it_is_completed_and_more_steps_continue_it()
    {
        await SubmitAsync(maxSteps: 3);
        await using (var a = new FakeWorker(Address, "a"))
            await a.Ended.WaitAsync(Patience);
        Assert.True((await SubmitAsync(maxSteps: 3)).Resumed);
        Assert.Equal("completed", (await GetAsync()).State);

        await SubmitAsync(maxSteps: 5);
        await using (var b = new FakeWorker(Address, "b"))
            await b.Ended.WaitAsync(Patience);
        Assert.Equal(5UL, (await GetAsync()).Step);
    }

    [Fact]
    public async Task An_output_directory_whose_store_was_lost_is_still_gone_on_with()
    {
        await SubmitAsync(maxSteps: 3);
        await using (var a = new FakeWorker(Address, "a"))
            await a.Ended.WaitAsync(Patience);
        await RestartAsync(place.ForgetAsync);

        Assert.True((await SubmitAsync(maxSteps: 3)).Resumed);
        Assert.Equal(("completed", 3UL), await GetAsync() is var s ? (s.State, s.Step) : default);
        await RestartAsync(place.ForgetAsync);
        await SubmitAsync(maxSteps: 5);
        await using var b = new FakeWorker(Address, "b");
        await b.Ended.WaitAsync(Patience);
        Assert.EndsWith("step-00000003/state.safetensors", b.Welcomed!.ResumeFrom);
    }

    [Fact]
    public async Task Another_run_in_the_same_directory_is_refused_with_the_difference_in_one_line()
    {
        await SubmitAsync();
        var error = await Assert.ThrowsAsync<RpcException>(() => SubmitAsync(seed: 9));
        Assert.Equal(RpcStatusCode.FailedPrecondition, error.Code);
        Assert.Contains("seed: 1, now 9", error.Detail);
        Assert.DoesNotContain('\n', error.Detail);
    }

    [Theory]
    [InlineData("model: {name: lenet6}\ndata: {format: synthetic, image_size: 28}\n", "lenet6")]
    [InlineData("model: {name: lenet5}\ndata: {format: synthetic, image_size: 28}\n", "checkpoint.path")]
    public async Task A_wrong_description_is_refused_in_one_line(string text, string named)
    {
        var error = await Assert.ThrowsAsync<RpcException>(() => client.UnaryAsync(
            CoordinationMethods.SubmitRun, new SubmitRunRequest { Description = text }, null, default));
        Assert.Equal(RpcStatusCode.InvalidArgument, error.Code);
        Assert.Contains(named, error.Detail);
    }

    [Fact]
    public async Task A_worker_waits_in_the_pool_until_a_run_wants_it()
    {
        await using var a = new FakeWorker(Address, "a");
        await SubmitAsync(maxSteps: 1);
        Assert.Equal("completed", (await a.Ended.WaitAsync(Patience))!.State);
    }

    [Fact]
    public async Task A_worker_of_another_run_or_probe_is_refused_for_good()
    {
        var reply = await SubmitAsync();
        await using var lost = new FakeWorker(Address, "lost", wantedRun: "resnet-7");
        await lost.Ended.WaitAsync(Patience);
        Assert.Equal((true, $"run 'resnet-7' is not known here; known: {reply.RunId}"), (lost.Refusal!.Final, lost.Refusal.Reason));

        var (first, free) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var a = new FakeWorker(Address, "a")
        {
            BeforeVote = async _ =>
            {
                first.TrySetResult();
                await free.Task;
                return true;
            },
        };
        await first.Task.WaitAsync(Patience);
        await using var odd = new FakeWorker(Address, "odd", wantedRun: reply.RunId, probe: "other");
        await odd.Ended.WaitAsync(Patience);
        Assert.Equal("probe hash: the run has probe, this worker has other", odd.Refusal?.Reason);
        free.SetResult();
    }

    [Fact]
    public async Task Watching_a_run_shows_it_until_it_ends()
    {
        await SubmitAsync();
        await using var a = new FakeWorker(Address, "a");
        var seen = new List<RunStatus>();
        using var limit = new CancellationTokenSource(Patience, TimeProvider.System);
        await foreach (var status in client.ServerStreamAsync(CoordinationMethods.WatchRun, new GetRunRequest(), null, limit.Token))
            seen.Add(status);
        Assert.Equal("completed", seen[^1].State);
        Assert.Equal(8UL, seen[^1].Step);
    }

    [Fact]
    public async Task Unknown_runs_and_actions_are_refused_naming_what_is_valid()
    {
        Assert.Equal(RpcStatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(GetAsync)).Code);
        var reply = await SubmitAsync();
        var error = await Assert.ThrowsAsync<RpcException>(() => ControlAsync(reply.RunId, "explode"));
        Assert.Equal((RpcStatusCode.InvalidArgument, "action 'explode' is none; valid: pause, resume, cancel, stop"), (error.Code, error.Detail));
        await ControlAsync(reply.RunId, "cancel");
        Assert.Equal("cancelled", (await GetAsync()).State);
        Assert.Equal(RpcStatusCode.FailedPrecondition, (await Assert.ThrowsAsync<RpcException>(() => ControlAsync(reply.RunId, "pause"))).Code);
    }

    [Fact]
    public async Task A_run_whose_metrics_cannot_be_written_ends_failed_and_says_why()
    {
        await SubmitAsync();
        Directory.CreateDirectory(Path.Combine(Output, "metrics.jsonl"));
        await using var a = new FakeWorker(Address, "a");
        var ended = await a.Ended.WaitAsync(Patience);
        Assert.Equal("failed", ended!.State);
        Assert.Contains("metrics.jsonl", ended.Reason);
        Assert.DoesNotContain('\n', ended.Reason);
    }

    [Fact]
    public async Task A_run_left_under_way_takes_over_what_a_new_submission_changes()
    {
        await SubmitAsync(maxSteps: 2);
        await RestartAsync();
        Assert.True((await SubmitAsync(maxSteps: 3)).Resumed);
        await using var a = new FakeWorker(Address, "a");
        await a.Ended.WaitAsync(Patience);
        Assert.Equal(3UL, (await GetAsync()).Step);
    }

    [Fact]
    public async Task Health_and_readiness_answer_plain_http()
    {
        using var http = new HttpClient { DefaultRequestVersion = HttpVersion.Version11 };
        Assert.Equal("alive\n", await http.GetStringAsync(new Uri(Address, "/healthz")));
        Assert.Equal("ready\n", await http.GetStringAsync(new Uri(Address, "/readyz")));
    }

    /// <summary>Answers come from another coordinator now.</summary>
    private protected async Task TurnToAsync(Uri address)
    {
        await client.DisposeAsync();
        client = RpcChannel.Create(address);
    }

    private async Task StartAsync()
    {
        await StartHostAsync(place.Address);
        client = RpcChannel.Create(Address);
    }

    private async Task RestartAsync(Func<Task>? between = null)
    {
        await client.DisposeAsync();
        await StopHostAsync();
        await (between?.Invoke() ?? Task.CompletedTask);
        await StartAsync();
    }

    private protected Task<SubmitRunReply> SubmitAsync(uint expected = 0, int maxSteps = 100, int seed = 1) => client.UnaryAsync(
        CoordinationMethods.SubmitRun,
        new SubmitRunRequest
        {
            ExpectedWorkers = expected,
            Description = $"""
                model: {"{name: lenet5}"}
                data: {"{format: synthetic, image_size: 28}"}
                batch: {"{global: 16, shards: 8}"}
                schedule: {"{epochs: 2, max_steps: "}{maxSteps}{"}"}
                checkpoint: {"{every_steps: 2, keep: 2, path: "}{Output}{"}"}
                seed: {seed}
                """,
        },
        null,
        default);

    private protected Task<RunStatus> GetAsync() => client.UnaryAsync(CoordinationMethods.GetRun, new GetRunRequest(), null, default);

    private Task<RunStatus> ControlAsync(string run, string action) =>
        client.UnaryAsync(CoordinationMethods.ControlRun, new ControlRunRequest { RunId = run, Action = action }, null, default);

    private List<JsonElement> Metrics() =>
        [.. File.ReadAllLines(Path.Combine(Output, "metrics.jsonl")).Select(l => JsonDocument.Parse(l).RootElement)];
}
