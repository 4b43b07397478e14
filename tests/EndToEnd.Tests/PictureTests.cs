using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace AdderNet.EndToEnd.Tests;

/// <summary>Pictures in, weights and figures out: class folders and tar shards, real processes, JPEG files.</summary>
public sealed class PictureTests
{
    private const int Steps = 6;

    [Fact]
    public async Task ResNet50_trains_on_pictures_to_one_hash_with_one_worker_and_with_two_that_stop_and_go_on()
    {
        using var workspace = new Workspace();
        var folder = SmallPictures.Write(workspace.Folder("pictures"), train: 4, validation: 2);
        var config = Path.Combine(RepositoryRoot(), "configs", "imagenet-resnet50.yaml");
        string[] small = ["--threads", "1", "--set", "data.image_size=32", "--set", "batch.global=8", "--set", "batch.shards=4", "--set", "schedule.epochs=1", "--set", "schedule.max_steps=2"];

        var alone = await TrainedRun.TrainAsync(config, workspace.Folder("one"), ["--data", folder, .. small]);
        var first = await TrainedRun.TrainAsync(config, workspace.Folder("two"), ["--data", folder, "--workers", "2", .. small, "--set", "schedule.max_steps=1"]);
        Assert.Single(first.StepLines);
        var shared = await TrainedRun.TrainAsync(config, workspace.Folder("two"), ["--data", folder, "--workers", "2", "--decode-threads", "2", .. small]);

        Assert.Equal(alone.FinalFileHash, shared.FinalFileHash);
        Assert.Equal(Losses(alone), Losses(shared));
        Assert.Equal(2, Losses(alone).Distinct().Count());
        Assert.Equal(alone.EvaluationLines[^1].GetProperty("loss").GetDouble(), shared.EvaluationLines[^1].GetProperty("loss").GetDouble());
        Assert.All(shared.StepLines, line => Assert.InRange(line.GetProperty("data_wait_seconds").GetDouble(), 0, line.GetProperty("compute_seconds").GetDouble()));
    }

    [Fact]
    public async Task Folder_and_shards_give_the_same_weights_and_an_evaluation_the_same_figures_with_any_number_of_workers()
    {
        using var workspace = new Workspace();
        var folder = SmallPictures.Write(workspace.Folder("pictures"), train: 16, validation: 40);
        var config = Config(workspace, folder);
        var sharded = await AdderNetProcess.RunAsync("data", "shard", folder, workspace.Folder("tar"), "--shard-megabytes", "1");
        Assert.True(sharded.ExitCode == 0, sharded.ToString());

        var run = await TrainedRun.TrainAsync(config, workspace.Folder("run"), ["--workers", "2", "--threads", "1"]);
        var tar = await TrainedRun.TrainAsync(config, workspace.Folder("tar-run"), ["--threads", "1", "--data", workspace.Folder("tar"), "--set", "data.format=tar"]);
        Assert.Equal(run.FinalFileHash, tar.FinalFileHash);

        var weights = Path.Combine(run.Directory, "final.safetensors");
        var outputs = new List<(string Printed, string Table)>();
        foreach (var workers in new[] { 1, 2, 3 })
        {
            var table = workspace.Folder($"classes{workers}.csv");
            var result = await AdderNetProcess.RunAsync("evaluate", config, "--checkpoint", weights, "--workers", $"{workers}", "--threads", "1", "--per-class", table);
            Assert.True(result.ExitCode == 0, result.ToString());
            outputs.Add((result.Output, await File.ReadAllTextAsync(table)));
        }

        Assert.Single(outputs.Distinct());
        var (printed, classes) = outputs[0];
        var recorded = run.EvaluationLines[^1];
        Assert.Contains($"top-1  {(100 * recorded.GetProperty("top1").GetDouble()).ToString("0.00", CultureInfo.InvariantCulture)} %", printed, StringComparison.Ordinal);
        Assert.Contains($"loss   {recorded.GetProperty("loss").GetDouble().ToString("0.000000", CultureInfo.InvariantCulture)}", printed, StringComparison.Ordinal);
        Assert.Contains("on 160 test samples", printed, StringComparison.Ordinal);
        AssertAddsUp(printed, classes);
    }

    [Fact]
    public async Task A_picture_that_cannot_be_decoded_ends_the_run_by_name_and_once_verified_is_left_out_of_every_run_alike()
    {
        using var workspace = new Workspace();
        var folder = SmallPictures.Write(workspace.Folder("pictures"), train: 9, validation: 2);
        var broken = Path.Combine(folder, "train", "n00000002", "picture_3.JPEG");
        var bytes = await File.ReadAllBytesAsync(broken);
        await File.WriteAllBytesAsync(broken, bytes[..(bytes.Length / 3)]);
        var config = Config(workspace, folder);

        // Nobody knows yet: the worker that meets it goes, and so does everyone after it.
        var stopped = await AdderNetProcess.RunAsync("train", config, "--output", workspace.Folder("stopped"), "--threads", "1", "--set", "data.on_error=skip");
        Assert.True(stopped.ExitCode == 1, stopped.ToString());
        Assert.Contains(broken + ": ", stopped.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", stopped.All, StringComparison.Ordinal);

        var verified = await AdderNetProcess.RunAsync("data", "verify", folder);
        Assert.Equal(1, verified.ExitCode);
        Assert.Contains(broken + ": ", verified.Output, StringComparison.Ordinal);
        Assert.Contains("1 of 44 pictures cannot be decoded", verified.Error, StringComparison.Ordinal);

        var refused = await AdderNetProcess.RunAsync("train", config, "--output", workspace.Folder("refused"));
        Assert.Equal(1, refused.ExitCode);
        Assert.StartsWith($"addernet: {broken}: cannot be decoded; ", refused.Error, StringComparison.Ordinal);

        var alone = await TrainedRun.TrainAsync(config, workspace.Folder("one"), ["--threads", "1", "--set", "data.on_error=skip"]);
        var shared = await TrainedRun.TrainAsync(config, workspace.Folder("two"), ["--workers", "2", "--threads", "1", "--set", "data.on_error=skip"]);
        Assert.Equal(alone.FinalFileHash, shared.FinalFileHash);
        Assert.Equal(35, alone.Summary.GetProperty("train_samples").GetInt64());
    }

    [Fact]
    public async Task Data_commands_meet_hostile_directories_with_one_line()
    {
        using var workspace = new Workspace();
        var empty = Directory.CreateDirectory(workspace.Folder("empty")).FullName;
        foreach (var command in new[] { "index", "verify" })
            AssertOneLine(await AdderNetProcess.RunAsync("data", command, empty), empty);
        AssertOneLine(await AdderNetProcess.RunAsync("data", "shard", empty, workspace.Folder("tar")), empty);
        AssertOneLine(await AdderNetProcess.RunAsync("data", "index", workspace.Folder("nowhere")), "nowhere");

        var folder = SmallPictures.Write(workspace.Folder("pictures"), train: 2, validation: 1);
        var config = Config(workspace, folder);
        Assert.Equal(0, (await AdderNetProcess.RunAsync("data", "index", folder)).ExitCode);
        var index = Path.Combine(folder, ".addernet-index");
        await File.WriteAllBytesAsync(index, (await File.ReadAllBytesAsync(index))[..^1]);
        AssertOneLine(await AdderNetProcess.RunAsync("train", config, "--output", workspace.Folder("run")), index);
        AssertOneLine(await AdderNetProcess.RunAsync("data", "shard", folder, folder), folder);
    }

    [Fact]
    public async Task Where_the_data_cannot_be_written_the_index_lies_in_the_cache()
    {
        using var workspace = new Workspace();
        var folder = SmallPictures.Write(workspace.Folder("pictures"), train: 2, validation: 1);
        // In the index's place lies a folder: not even root can write a file there.
        Directory.CreateDirectory(Path.Combine(folder, ".addernet-index"));
        var cache = workspace.Folder("cache");
        var result = await AdderNetProcess.RunAsync(["data", "index", folder], new Dictionary<string, string> { ["ADDERNET_CACHE"] = cache });
        Assert.True(result.ExitCode == 0, result.ToString());
        var kept = Assert.Single(Directory.GetFiles(Path.Combine(cache, "indexes")));
        Assert.Contains(kept, result.Output, StringComparison.Ordinal);
    }

    private static string Config(Workspace workspace, string data)
    {
        var path = workspace.Folder("pictures.yaml");
        File.WriteAllText(path, $$"""
            model: {name: resnet20, classes: 4}
            data: {format: folder, path: {{data}}, image_size: 24, augment: imagenet}
            batch: {global: 16, shards: 4}
            schedule: {epochs: 4, max_steps: {{Steps}}}
            checkpoint: {every_steps: 2}
            seed: 5
            """);
        return path;
    }

    private static IEnumerable<double> Losses(TrainedRun run) => run.StepLines.Select(line => line.GetProperty("loss").GetDouble());

    // The table's columns are those of EvaluationResult.Csv: class,name,samples,top1,top5,...
    private static void AssertAddsUp(string printed, string table)
    {
        var rows = table.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(line => line.Split(',')).ToList();
        Assert.Equal(["n00000000", "n00000001", "n00000002", "n00000003"], rows.Select(row => row[1]));
        Assert.Equal([40, 40, 40, 40], rows.Select(row => int.Parse(row[2], CultureInfo.InvariantCulture)));
        var hits = rows.Sum(row => int.Parse(row[3], CultureInfo.InvariantCulture));
        Assert.Contains($"top-1  {(hits / 1.6).ToString("0.00", CultureInfo.InvariantCulture)} %", printed, StringComparison.Ordinal);
        var worst = Regex.Match(printed, @"mistaken  (\d+) of 40 of class (\d) ");
        Assert.Equal(rows.Max(row => int.Parse(row[7], CultureInfo.InvariantCulture)), int.Parse(worst.Groups[1].Value, CultureInfo.InvariantCulture));
    }

    private static void AssertOneLine(CommandResult result, string named)
    {
        Assert.True(result.ExitCode == 1, result.ToString());
        Assert.Contains(named, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.All, StringComparison.Ordinal);
        Assert.True(result.Error.Trim().Split('\n').Length == 1, "not one line:\n" + result);
    }

    private static string RepositoryRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "AdderNet.sln")))
                return folder.FullName;
        }

        throw new DirectoryNotFoundException($"no AdderNet.sln above {AppContext.BaseDirectory}");
    }
}
