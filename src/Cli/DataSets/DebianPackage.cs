namespace AdderNet.Cli.DataSets;

/// <summary>A Debian package that carries the files compressed; downloaded and unpacked without installing it, so without root.</summary>
/// <param name="name">Package.</param>
/// <param name="folder">Folder of the <c>.gz</c> files within the package.</param>
internal sealed class DebianPackage(string name, string folder) : IDataSource
{
    public string Description => $"Debian package {name}";

    public async Task BringAsync(IReadOnlyList<IdxFile> files, string directory, CancellationToken cancellation)
    {
        await ExternalTool.RunAsync("apt-get", ["download", "-q", name], directory, cancellation).ConfigureAwait(false);
        var package = Directory.GetFiles(directory, "*.deb").FirstOrDefault()
            ?? throw new DataSourceException("apt-get download left no package");
        var unpacked = Path.Combine(directory, "unpacked");
        await ExternalTool.RunAsync("dpkg-deb", ["-x", package, unpacked], directory, cancellation).ConfigureAwait(false);
        foreach (var file in files)
        {
            var source = Path.Combine(unpacked, folder, file.Name + ".gz");
            if (!File.Exists(source))
                throw new DataSourceException($"the package has no {folder}/{file.Name}.gz");
            await using var stream = File.OpenRead(source);
            await GzipFile.ExpandAsync(stream, file, Path.Combine(directory, file.Name), cancellation).ConfigureAwait(false);
        }
    }
}
