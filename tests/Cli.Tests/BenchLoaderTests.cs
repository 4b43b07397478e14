using System.Text.Json;
using AdderNet.Core.Checkpoints;
using Xunit;

namespace AdderNet.Cli.Tests;

/// <summary>The whole way from files to samples in processes of their own, whose environment chooses the vectors.</summary>
public sealed class BenchLoaderTests : IDisposable
{
    private const string FileSuffix = ".file";
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("addernet-loader-");

    public void Dispose() => directory.Delete(recursive: true);

    [Fact]
    public async Task Pixels_have_the_same_bits_whatever_vectors_libjpeg_turbo_and_the_runtime_use()
    {
        WritePictures();
        string[] environments =
        [
            "", "JSIMD_FORCENONE=1", "JSIMD_FORCESSE2=1", "JSIMD_FORCEAVX2=1", "DOTNET_EnableAVX512=0", "DOTNET_EnableAVX2=0",
            "DOTNET_EnableHWIntrinsic=0", "GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-FMA",
        ];
        var hashes = new Dictionary<string, string>();
        foreach (var environment in environments)
            hashes[environment] = (await MeasureAsync(environment)).GetProperty("summary").GetProperty("pixels_sha256").GetString()!;

        Assert.Equal(64, hashes[""].Length);
        Assert.All(hashes, hash => Assert.Equal(hashes[""], hash.Value));
    }

    [Fact]
    public async Task The_report_has_rates_and_memory()
    {
        WritePictures();
        var report = await MeasureAsync("");
        var rows = report.GetProperty("rows").EnumerateArray().ToList();
        Assert.Equal(["one_thread 1 30", "all_threads 2 30"], rows.Select(row => $"{row.GetProperty("name")} {row.GetProperty("threads")} {row.GetProperty("images")}"));
        Assert.All(rows, row => Assert.InRange(row.GetProperty("images_per_second_per_core").GetDouble(), 0.1, 1e7));
        Assert.InRange(report.GetProperty("summary").GetProperty("memory").GetProperty("most").GetInt64(), 10_000_000, 1_000_000_000);
    }

    [Fact]
    public async Task A_picture_that_cannot_be_decoded_ends_it_in_one_line_that_names_the_file()
    {
        WritePictures();
        var bad = Path.Combine(directory.FullName, "train", "even", "bad.JPEG");
        File.WriteAllBytes(bad, "<html>"u8.ToArray());
        var result = await RunAsync("");
        Assert.Equal((1, ""), (result.ExitCode, string.Join('\n', result.Output.Split('\n')[1..])));
        Assert.Equal($"addernet: {bad}: is neither JPEG nor PNG: it begins with 0x3c68746d", Assert.Single(result.ErrorLines));
    }

    [Fact]
    public async Task Rendered_photographs_come_with_their_crops()
    {
        WritePictures();
        var output = Path.Combine(directory.FullName, "pixels.safetensors");
        var result = await CliProcess.RunAsync("bench", "pixels", "--data", directory.FullName, "--output", output, "--images", "3");
        Assert.Equal((0, "", $"{output}: 3 photographs"), (result.ExitCode, result.Errors, result.Output.Trim()));
        using var file = SafetensorsFile.Open(output);
        Assert.Equal(9, file.Tensors.Count);
        var name = file.Tensors.Keys.First(key => key.EndsWith(".crop", StringComparison.Ordinal))[..^".crop".Length];
        Assert.Equal(5, file.ReadInt64(name + ".crop").Length);
        Assert.Equal(224 * 224 * 3, file.ReadFloat32(name + ".training").Length);
        Assert.NotEqual(file.ReadFloat32(name + ".evaluation"), file.ReadFloat32(name + ".training"));
    }

    private async Task<JsonElement> MeasureAsync(string environment)
    {
        var result = await RunAsync(environment);
        Assert.Equal((0, ""), (result.ExitCode, result.Errors));
        return JsonDocument.Parse(File.ReadAllText(Path.Combine(directory.FullName, "report.json"))).RootElement;
    }

    private Task<CliResult> RunAsync(string environment)
    {
        var variables = new Dictionary<string, string> { ["ADDERNET_CACHE"] = Path.Combine(directory.FullName, "cache") };
        if (environment.Split('=', 2) is [var name, var value])
            variables[name] = value;
        return CliProcess.RunAsync(
            variables, "bench", "loader", "--data", directory.FullName, "--images", "30", "--threads", "2", "--json", Path.Combine(directory.FullName, "report.json"));
    }

    /// <summary>The golden pictures, one of every kind, as two classes of training and of validation photographs.</summary>
    private void WritePictures()
    {
        using var golden = SafetensorsFile.Open(Golden());
        var names = golden.Tensors.Keys.Where(name => name.EndsWith(FileSuffix, StringComparison.Ordinal)).ToList();
        for (var i = 0; i < names.Count; i++)
        {
            foreach (var split in new[] { "train", "val" })
            {
                var folder = Path.Combine(directory.FullName, split, i % 2 == 0 ? "even" : "odd");
                Directory.CreateDirectory(folder);
                File.WriteAllBytes(Path.Combine(folder, names[i][..^FileSuffix.Length] + ".JPEG"), golden.ReadUInt8(names[i]));
            }
        }
    }

    private static string Golden()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "tests", "Golden", "pictures.safetensors")))
            folder = folder.Parent ?? throw new FileNotFoundException("tests/Golden/pictures.safetensors is in no folder above the tests");
        return Path.Combine(folder.FullName, "tests", "Golden", "pictures.safetensors");
    }
}
