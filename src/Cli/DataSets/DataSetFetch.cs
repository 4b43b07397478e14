using AdderNet.Cli.CommandLine;

namespace AdderNet.Cli.DataSets;

/// <summary>Brings a data set's files into a folder; only verified files ever carry their final names.</summary>
internal static class DataSetFetch
{
    /// <summary>Where fetched data is kept unless a folder is given: ADDERNET_CACHE, else the user's cache folder.</summary>
    public static string CacheFolder(IdxDataSet set) => Path.Combine(Core.Data.CacheFolder.Path, set.Name);

    /// <summary>Makes sure that every file of the set lies verified in the folder; says what it does.</summary>
    /// <param name="set">What to fetch.</param>
    /// <param name="folder">Created when missing. Valid files in it stay as they are.</param>
    /// <param name="say">Receives one line at a time.</param>
    /// <param name="cancellation">Abandons the work; no file is left half written.</param>
    /// <exception cref="CommandFailedException">No source gives the published files.</exception>
    public static async Task RunAsync(IdxDataSet set, string folder, Action<string> say, CancellationToken cancellation)
    {
        var missing = new List<IdxFile>();
        foreach (var file in set.Files)
        {
            if (await file.FindFaultAsync(Path.Combine(folder, file.Name), cancellation).ConfigureAwait(false) is null)
                continue;
            missing.Add(file);
        }

        if (missing.Count == 0)
        {
            say($"{set.Name}: already there, verified, in {folder}");
            return;
        }

        CreateFolder(folder);
        var faults = new List<string>();
        foreach (var source in set.Sources)
        {
            say($"{set.Name}: fetching from {source.Description}");
            var fault = await TrySourceAsync(source, missing, folder, say, cancellation).ConfigureAwait(false);
            if (fault is null)
            {
                say($"{set.Name}: complete in {folder}");
                return;
            }

            say($"{set.Name}: not from {source.Description}: {fault}");
            faults.Add($"{source.Description}: {fault}");
        }

        throw new CommandFailedException($"{set.Name} could not be fetched; tried {string.Join("; ", faults)}");
    }

    private static async Task<string?> TrySourceAsync(
        IDataSource source, List<IdxFile> files, string folder, Action<string> say, CancellationToken cancellation)
    {
        // Within the target folder, so that the last move is a rename and a full disk is met before it.
        var staging = Path.Combine(folder, $".fetch-{Environment.ProcessId}");
        try
        {
            Directory.CreateDirectory(staging);
            await source.BringAsync(files, staging, cancellation).ConfigureAwait(false);
            foreach (var file in files)
            {
                if (await file.FindFaultAsync(Path.Combine(staging, file.Name), cancellation).ConfigureAwait(false) is { } fault)
                    return $"refused, {fault}";
            }

            foreach (var file in files)
            {
                File.Move(Path.Combine(staging, file.Name), Path.Combine(folder, file.Name), overwrite: true);
                say($"  {file.Sha256}  {file.Name}");
            }

            return null;
        }
        catch (DataSourceException e)
        {
            return e.Message;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException($"{folder}: {e.Message}");
        }
        finally
        {
            if (Directory.Exists(staging))
                Directory.Delete(staging, recursive: true);
        }
    }

    private static void CreateFolder(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException($"cannot create folder {folder}: {e.Message}");
        }
    }
}
