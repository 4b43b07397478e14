using System.Security.Cryptography;
using System.Text;
using AdderNet.Cli.CommandLine;
using AdderNet.Cli.DataSets;
using Xunit;

namespace AdderNet.Cli.Tests;

public sealed class DataSetFetchTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("addernet-fetch-").FullName;
    private readonly List<string> said = [];

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Files_from_a_good_source_arrive_under_their_names_and_nothing_else_stays()
    {
        await FetchAsync(new FakeSource("good", "images", "labels"));

        Assert.Equal(["images", "labels"], Directory.GetFileSystemEntries(folder).Select(Path.GetFileName).Order());
        Assert.Equal("content of images", await File.ReadAllTextAsync(Path.Combine(folder, "images")));
    }

    [Fact]
    public async Task A_corrupt_download_is_refused_and_the_next_source_used()
    {
        await FetchAsync(new FakeSource("bad", "images", "labels") { Corrupt = "labels" }, new FakeSource("good", "images", "labels"));

        Assert.Contains(said, line => line.Contains("not from bad: refused, labels has SHA-256", StringComparison.Ordinal));
        Assert.Equal("content of labels", await File.ReadAllTextAsync(Path.Combine(folder, "labels")));
    }

    [Fact]
    public async Task When_every_source_is_corrupt_the_command_fails_and_leaves_no_file()
    {
        var failure = await Assert.ThrowsAsync<CommandFailedException>(() =>
            FetchAsync(new FakeSource("bad", "images", "labels") { Corrupt = "images" }, new FakeSource("empty")));

        Assert.Equal(ExitCode.NotDone, failure.ExitCode);
        Assert.Contains("bad: refused, images has SHA-256", failure.Message);
        Assert.Contains("empty: refused, images is missing", failure.Message);
        Assert.Empty(Directory.GetFileSystemEntries(folder));
    }

    [Fact]
    public async Task Files_that_are_already_there_are_kept_and_a_damaged_one_is_fetched_again()
    {
        await FetchAsync(new FakeSource("good", "images", "labels"));
        await File.AppendAllTextAsync(Path.Combine(folder, "labels"), "!");

        await FetchAsync(new FakeSource("only labels", "labels"));

        Assert.Equal("content of labels", await File.ReadAllTextAsync(Path.Combine(folder, "labels")));
        said.Clear();
        await FetchAsync();
        Assert.Contains("already there", Assert.Single(said));
    }

    [Fact]
    public async Task A_compressed_file_longer_than_published_is_refused_before_it_fills_the_disk()
    {
        using var bomb = new MemoryStream();
        await using (var gzip = new System.IO.Compression.GZipStream(bomb, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true))
            await gzip.WriteAsync(new byte[1 << 20]);
        bomb.Position = 0;

        var failure = await Assert.ThrowsAsync<DataSourceException>(() =>
            GzipFile.ExpandAsync(bomb, Describe("labels"), Path.Combine(folder, "labels"), default));

        Assert.Contains("labels.gz holds more than", failure.Message);
    }

    private static IdxFile Describe(string name)
    {
        var content = Encoding.UTF8.GetBytes("content of " + name);
        return new IdxFile(name, content.Length, Convert.ToHexStringLower(SHA256.HashData(content)));
    }

    private Task FetchAsync(params IDataSource[] sources) =>
        DataSetFetch.RunAsync(new IdxDataSet("toy", [Describe("images"), Describe("labels")], sources), folder, said.Add, default);

    private sealed class FakeSource(string name, params string[] files) : IDataSource
    {
        public string? Corrupt { get; init; }

        public string Description => name;

        public async Task BringAsync(IReadOnlyList<IdxFile> wanted, string directory, CancellationToken cancellation)
        {
            foreach (var file in files)
                await File.WriteAllTextAsync(Path.Combine(directory, file), (file == Corrupt ? "CONTENT of " : "content of ") + file, cancellation);
        }
    }
}
