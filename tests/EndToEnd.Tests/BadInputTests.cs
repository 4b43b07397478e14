using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace AdderNet.EndToEnd.Tests;

/// <summary>Bad input meets one clear line and the exit status of the contract.</summary>
public sealed class BadInputTests
{
    [Theory]
    [InlineData("optimizer.learningrate=0.1", "optimizer.learning_rate")]
    [InlineData("optimizer.learning_rate=fast", "fast")]
    [InlineData("optimizer.learning_rate=-1", "-1")]
    [InlineData("batch.shards=6", "power of two")]
    [InlineData("batch.global=36", "36")]
    [InlineData("model.name=lenet", "lenet5")]
    [InlineData("schedule.epochs=0", "schedule.epochs")]
    [InlineData("checkpoint.keep=0", "checkpoint.keep")]
    [InlineData("colour=red", "colour")]
    public async Task A_wrong_key_or_value_is_one_line_and_exit_2(string setting, string named)
    {
        using var workspace = new Workspace();
        var config = workspace.Config("bad", workspace.Folder("nowhere"));

        var result = await AdderNetProcess.RunAsync("train", config, "--output", workspace.Folder("run"), "--set", setting);

        AssertOneLine(result, 2, named);
        Assert.False(Directory.Exists(workspace.Folder("run")), "something was written");
    }

    [Fact]
    public async Task Data_that_is_not_there_is_one_line_and_exit_1()
    {
        using var workspace = new Workspace();
        var missing = workspace.Folder("nowhere");

        var result = await AdderNetProcess.RunAsync("train", workspace.Config("bad", missing), "--output", workspace.Folder("run"));

        AssertOneLine(result, 1, missing);
    }

    [Theory]
    [InlineData("train-images-idx3-ubyte", 3, 0x09)]
    [InlineData("train-labels-idx1-ubyte", 5, 0x77)]
    [InlineData("t10k-images-idx3-ubyte", 11, 27)]
    public async Task A_corrupt_data_file_is_named(string file, int at, int value)
    {
        using var workspace = new Workspace();
        var data = SmallMnist.Write(workspace.Folder("data"), 320, 100);
        var bytes = File.ReadAllBytes(Path.Combine(data, file));
        bytes[at] = (byte)value;
        File.WriteAllBytes(Path.Combine(data, file), bytes);

        var result = await AdderNetProcess.RunAsync("train", workspace.Config("bad", data), "--output", workspace.Folder("run"));

        AssertOneLine(result, 1, file);
    }

    [Fact]
    public async Task A_taken_port_is_named()
    {
        using var workspace = new Workspace();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var url = $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";

        var result = await AdderNetProcess.RunAsync("coordinator", "--listen", url, "--store", "sqlite:" + workspace.Folder("store.db"));

        Assert.True(result.ExitCode == 1, result.ToString());
        Assert.Contains($"{url} is in use", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.All, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_coordinator_that_is_not_there_ends_a_worker_after_bounded_retries()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var url = $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";
        listener.Stop();

        var result = await AdderNetProcess.RunAsync("worker", "--coordinator", url);

        Assert.True(result.ExitCode == 1, result.ToString());
        Assert.Contains(url, result.All, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.All, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_worker_of_another_run_or_with_other_data_is_refused_naming_both()
    {
        using var workspace = new Workspace();
        var data = SmallMnist.Write(workspace.Folder("data"), 1600, 100);
        var otherData = SmallMnist.Write(workspace.Folder("other"), 1600, 100, relabel: 3);
        await using var coordinator = AdderNetProcess.Start(
            ["coordinator", "--listen", "http://127.0.0.1:0", "--store", "sqlite:" + workspace.Folder("store.db")]);
        var url = await coordinator.ListeningAtAsync();
        var config = workspace.Config("shared", data, steps: 100000, epochs: 5000);
        var submitted = await AdderNetProcess.RunAsync(
            "submit", config, "--coordinator", url, "--set", $"checkpoint.path={workspace.Folder("run")}");
        Assert.True(submitted.ExitCode == 0, submitted.ToString());
        await using var first = AdderNetProcess.Start(["worker", "--coordinator", url, "--threads", "1"]);
        await Eventually.FileAsync(Path.Combine(workspace.Folder("run"), "checkpoints", "step-00000020", "state.safetensors"));

        var wrongRun = await AdderNetProcess.RunAsync("worker", "--coordinator", url, "--run", "elsewhere-1");
        var wrongData = await AdderNetProcess.RunAsync("worker", "--coordinator", url, "--data", otherData);

        AssertRefused(wrongRun, "elsewhere-1");
        AssertRefused(wrongData, "data");
        Assert.Equal(2, wrongData.Error.Split(' ', '\'', ',', ';', ':', '\n').Where(word => word.Length == 64 && word.All(char.IsAsciiHexDigit)).Distinct().Count());
    }

    [Fact]
    public async Task Another_run_in_the_same_output_is_refused_with_the_difference()
    {
        using var workspace = new Workspace();
        var data = SmallMnist.Write(workspace.Folder("data"), 320, 100);
        var config = workspace.Config("short", data, steps: 3);
        await TrainedRun.TrainAsync(config, workspace.Folder("run"), []);
        var before = File.ReadAllBytes(Path.Combine(workspace.Folder("run"), "final.safetensors"));

        var result = await AdderNetProcess.RunAsync("train", config, "--output", workspace.Folder("run"), "--set", "optimizer.eta=0.2");

        AssertOneLine(result, 1, "optimizer.eta");
        Assert.Equal(before, File.ReadAllBytes(Path.Combine(workspace.Folder("run"), "final.safetensors")));
    }

    [Fact]
    public async Task An_altered_checkpoint_is_refused_and_the_one_before_it_used()
    {
        using var workspace = new Workspace();
        var data = SmallMnist.Write(workspace.Folder("data"), 1600, 100);
        var config = workspace.Config("short", data, steps: 45);
        var calm = await TrainedRun.TrainAsync(config, workspace.Folder("calm"), []);
        var output = workspace.Folder("run");
        await TrainedRun.TrainAsync(config, output, ["--set", "schedule.max_steps=40"]);
        var newest = Path.Combine(output, "checkpoints", "step-00000040", "state.safetensors");
        var bytes = File.ReadAllBytes(newest);
        bytes[^100] ^= 1;
        File.WriteAllBytes(newest, bytes);

        var resumed = await TrainedRun.TrainAsync(config, output, []);

        Assert.Equal(calm.FinalFileHash, resumed.FinalFileHash);
        Assert.Contains("step-00000040", resumed.Result.All + string.Concat(Directory.GetFiles(Path.Combine(output, "logs")).Select(File.ReadAllText)), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_full_disk_at_checkpoint_time_leaves_the_last_good_checkpoint()
    {
        using var workspace = new Workspace();
        var data = SmallMnist.Write(workspace.Folder("data"), 1600, 100);
        var disk = workspace.Folder("disk");
        Directory.CreateDirectory(disk);
        Skip.IfNot(await ShellAsync($"mount -t tmpfs -o size=4m tmpfs {disk}") == 0, "needs the right to mount a small file system");
        try
        {
            var output = Path.Combine(disk, "run");
            var config = workspace.Config("short", data, steps: 45);
            await TrainedRun.TrainAsync(config, output, ["--set", "schedule.max_steps=20"]);
            var good = Path.Combine(output, "checkpoints", "step-00000020", "state.safetensors");
            var before = File.ReadAllBytes(good);
            File.Delete(Path.Combine(output, "final.safetensors"));
            await ShellAsync($"dd if=/dev/zero of={disk}/filler bs=1k; dd if=/dev/null of={disk}/filler bs=1k seek=$(( $(stat -c %s {disk}/filler) / 1024 - 256 ))");

            var result = await AdderNetProcess.RunAsync("train", config, "--output", output);

            Assert.True(result.ExitCode == 1, result.ToString());
            Assert.DoesNotContain("   at ", result.All, StringComparison.Ordinal);
            Assert.Contains("space", result.All, StringComparison.OrdinalIgnoreCase);
            Assert.Equal(before, File.ReadAllBytes(good));
            Assert.Empty(Directory.GetFiles(output, "*.tmp*", SearchOption.AllDirectories));
        }
        finally
        {
            await ShellAsync($"umount {disk}");
        }
    }

    private static async Task<int> ShellAsync(string command)
    {
        using var process = Process.Start(new ProcessStartInfo("sh") { ArgumentList = { "-c", command + " 2>/dev/null" } })!;
        await process.WaitForExitAsync();
        return process.ExitCode;
    }

    private static void AssertRefused(CommandResult result, string named)
    {
        Assert.True(result.ExitCode == 1, result.ToString());
        Assert.True(result.Error.Contains(named, StringComparison.Ordinal), $"'{named}' is not named\n{result}");
        Assert.DoesNotContain("   at ", result.All, StringComparison.Ordinal);
    }

    private static void AssertOneLine(CommandResult result, int exitCode, string named)
    {
        Assert.True(result.ExitCode == exitCode, result.ToString());
        Assert.Contains(named, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.All, StringComparison.Ordinal);
        Assert.True(result.Error.Trim().Split('\n').Length == 1, "not one line:\n" + result);
    }
}
