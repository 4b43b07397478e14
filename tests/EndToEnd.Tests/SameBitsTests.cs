using System.Runtime.InteropServices;
using Xunit;
using Xunit.Abstractions;

namespace AdderNet.EndToEnd.Tests;

/// <summary>The promise: the bits do not depend on the machines. Real processes, sockets, files and MNIST images.</summary>
public sealed class SameBitsTests : IClassFixture<SameBitsTests.CalmRun>
{
    private const int Steps = 50;
    private const int Shards = 8;
    private readonly CalmRun calm;
    private readonly ITestOutputHelper log;

    public SameBitsTests(CalmRun calm, ITestOutputHelper log)
    {
        this.calm = calm;
        this.log = log;
    }

    public static TheoryData<int, int, string> Machines => new()
    {
        { 2, 1, "" },
        { 3, 1, "" },
        { 5, 1, "" },
        { 1, 2, "" },
        { 2, 2, "" },
        { 1, 1, "DOTNET_EnableAVX512=0" },
        { 2, 1, "DOTNET_EnableAVX2=0" },
        { 1, 2, "DOTNET_EnableHWIntrinsic=0" },
        { 2, 1, "GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-FMA" },
    };

    [Theory]
    [MemberData(nameof(Machines))]
    public async Task The_final_weights_have_one_hash_whatever_the_workers_threads_and_vector_width(int workers, int threads, string variable)
    {
        using var workspace = new Workspace();
        var environment = variable.Length == 0
            ? null
            : new Dictionary<string, string> { [variable[..variable.IndexOf('=')]] = variable[(variable.IndexOf('=') + 1)..] };

        var run = await TrainedRun.TrainAsync(
            calm.Config, workspace.Folder("run"), ["--workers", $"{workers}", "--threads", $"{threads}"], environment);

        Assert.Equal(calm.Run.FinalFileHash, run.FinalFileHash);
        Assert.Equal(WeightsHash(calm.Run), WeightsHash(run));
        Assert.Equal(Steps, run.StepLines.Count);
        AssertEveryWorkerDidItsPart(run, workers);
    }

    [Fact]
    public async Task A_run_stopped_by_ctrl_c_and_started_again_ends_with_the_undisturbed_weights()
    {
        using var workspace = new Workspace();
        var output = workspace.Folder("run");
        string[] arguments = ["train", calm.Config, "--output", output, "--workers", "2", "--threads", "1"];

        await using (var first = AdderNetProcess.Start(arguments))
        {
            await Eventually.FileAsync(Path.Combine(output, "checkpoints", "step-00000020", "state.safetensors"));
            first.Signal(PosixSignal.SIGINT);
            var stopped = await first.WaitAsync();
            Assert.True(stopped.ExitCode == 1, stopped.ToString());
            var saved = Directory.GetFiles(Path.Combine(output, "checkpoints"), "state.safetensors", SearchOption.AllDirectories);
            Assert.True(saved.Length > 0, "no checkpoint was left\n" + stopped);
            Assert.False(File.Exists(Path.Combine(output, "final.safetensors")), "the run was over before it was stopped\n" + stopped);
        }

        var resumed = await AdderNetProcess.RunAsync(arguments, null);
        Assert.True(resumed.ExitCode == 0, resumed.ToString());
        var run = new TrainedRun(output, resumed);
        Assert.Equal(calm.Run.FinalFileHash, run.FinalFileHash);
        Assert.Equal(Enumerable.Range(1, Steps), run.StepLines.Select(line => line.GetProperty("step").GetInt32()));
        Assert.Equal(
            calm.Run.StepLines.Select(line => line.GetProperty("loss").GetDouble()),
            run.StepLines.Select(line => line.GetProperty("loss").GetDouble()));

        var again = await AdderNetProcess.RunAsync(arguments, null);
        Assert.True(again.ExitCode == 0, again.ToString());
        Assert.Contains("finished", again.All, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_larger_max_steps_continues_a_finished_run_to_the_same_bits()
    {
        using var workspace = new Workspace();
        var output = workspace.Folder("run");

        await TrainedRun.TrainAsync(calm.Config, output, ["--workers", "2", "--set", "schedule.max_steps=23"]);
        var run = await TrainedRun.TrainAsync(calm.Config, output, ["--workers", "1"]);

        Assert.Equal(calm.Run.FinalFileHash, run.FinalFileHash);
    }

    [Fact]
    public async Task Another_seed_changes_the_weights()
    {
        using var workspace = new Workspace();

        var run = await TrainedRun.TrainAsync(calm.Config, workspace.Folder("run"), ["--workers", "1", "--set", "seed=8"]);

        Assert.NotEqual(calm.Run.FinalFileHash, run.FinalFileHash);
    }

    [Fact]
    public async Task One_changed_label_changes_the_weights()
    {
        using var workspace = new Workspace();
        var data = SmallMnist.Write(workspace.Folder("data"), CalmRun.TrainImages, CalmRun.TestImages, relabel: 17);

        var run = await TrainedRun.TrainAsync(calm.Config, workspace.Folder("run"), ["--workers", "1", "--data", data]);

        Assert.NotEqual(calm.Run.FinalFileHash, run.FinalFileHash);
    }

    [Fact]
    public async Task Global_normalization_gives_the_same_bits_at_one_two_and_three_workers()
    {
        using var workspace = new Workspace();
        var hashes = new List<string>();
        foreach (var workers in new[] { 1, 2, 3 })
        {
            var run = await TrainedRun.TrainAsync(
                calm.Config, workspace.Folder($"run{workers}"), ["--workers", $"{workers}", "--set", "batch.normalization=global"]);
            hashes.Add(run.FinalFileHash);
        }

        log.WriteLine(string.Join("\n", hashes));
        Assert.Single(hashes.Distinct());
        Assert.NotEqual(calm.Run.FinalFileHash, hashes[0]);
    }

    private static string WeightsHash(TrainedRun run) => run.Summary.GetProperty("weights_hash").GetString()!;

    private static void AssertEveryWorkerDidItsPart(TrainedRun run, int workers)
    {
        var reports = run.Summary.GetProperty("workers").EnumerateArray().ToList();
        Assert.Equal(workers, reports.Count);
        Assert.Equal((long)Shards * Steps, reports.Sum(worker => worker.GetProperty("shards_computed").GetInt64()));
        Assert.All(reports, worker => Assert.True(worker.GetProperty("shards_computed").GetInt64() > 0));
        Assert.All(reports, worker => Assert.True(workers == 1 || worker.GetProperty("gradient_bytes_sent").GetInt64() > 0));

        var ranges = reports
            .Select(worker => (First: worker.GetProperty("first_shard").GetInt32(), End: worker.GetProperty("end_shard").GetInt32()))
            .OrderBy(range => range.First).ToList();
        Assert.Equal(0, ranges[0].First);
        Assert.Equal(Shards, ranges[^1].End);
        Assert.All(ranges.Zip(ranges.Skip(1)), pair => Assert.Equal(pair.First.End, pair.Second.First));
    }

    /// <summary>One worker, one thread, nothing disturbed: the run that all others must equal.</summary>
    public sealed class CalmRun : IAsyncLifetime, IDisposable
    {
        public const int TrainImages = 1600;
        public const int TestImages = 500;
        private readonly Workspace workspace = new();

        public string Config { get; private set; } = "";

        internal TrainedRun Run { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            var data = SmallMnist.Write(workspace.Folder("data"), TrainImages, TestImages);
            Config = workspace.Config("calm", data, Steps, shards: Shards);
            Run = await TrainedRun.TrainAsync(Config, workspace.Folder("calm"), ["--workers", "1", "--threads", "1"]);
        }

        public Task DisposeAsync() => Task.CompletedTask;

        public void Dispose() => workspace.Dispose();
    }
}
