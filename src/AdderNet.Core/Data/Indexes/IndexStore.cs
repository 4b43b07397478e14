using System.Security.Cryptography;
using System.Text;
using AdderNet.Core.Checkpoints;

namespace AdderNet.Core.Data.Indexes;

/// <summary>
/// Keeps the index of a data directory: in it, or, where that cannot be written, in the user's cache
/// (<see cref="CacheFolder"/>).
/// </summary>
/// <param name="root">The data directory.</param>
internal sealed class IndexStore(string root)
{
    /// <summary>Name of the index in the data directory.</summary>
    public const string FileName = ".addernet-index";

    private readonly string root = Path.GetFullPath(root);

    /// <summary>The index of what the directory holds now: the kept one while folders, shards and label files are as they were, else one made anew.</summary>
    /// <param name="isTar">Whether the samples lie in tar shards.</param>
    /// <param name="progress">Told the number of samples while an index is made.</param>
    /// <param name="cancellation">Ends the making.</param>
    /// <exception cref="DataException">The kept index is damaged, or verified and out of date; or the directory cannot be indexed.</exception>
    public SampleIndex Open(bool isTar, Action<int>? progress, CancellationToken cancellation)
    {
        foreach (var place in Places)
        {
            if (Load(place) is not { } index || index.IsTar != isTar)
                continue;
            if (WhatChanged(index) is not { } changed)
                return index;
            // Making it anew in silence would forget which samples are to be skipped.
            if (index.Verified)
                throw new DataException($"{root}: {changed} has changed since the data set was verified; look again: addernet data verify {root}");
        }

        var made = Make(isTar, progress, cancellation);
        TrySave(made);
        return made;
    }

    /// <summary>Indexes the directory, whatever is kept.</summary>
    /// <exception cref="DataException">It cannot be indexed.</exception>
    public SampleIndex Make(bool isTar, Action<int>? progress, CancellationToken cancellation) =>
        isTar ? TarScan.Run(root, progress, cancellation) : FolderScan.Run(root, progress, cancellation);

    /// <summary>Keeps an index.</summary>
    /// <returns>Where.</returns>
    /// <exception cref="DataException">Neither the directory nor the cache can be written.</exception>
    public string Save(SampleIndex index) =>
        TrySave(index) ?? throw new DataException($"{root}: its index can be written neither there nor into the cache {Path.GetDirectoryName(CachePath)}; set ADDERNET_CACHE to a folder that can be written");

    private IEnumerable<string> Places => [Path.Combine(root, FileName), CachePath];

    private string CachePath => Path.Combine(CacheFolder.Path, "indexes", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(root)))[..32]);

    private SampleIndex? Load(string path)
    {
        try
        {
            return File.Exists(path) ? SampleIndex.Parse(File.ReadAllBytes(path), path) : null;
        }
        catch (DataException e)
        {
            throw new DataException($"{e.Message}; make it anew: addernet data index {root}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{path}: cannot be read: {e.Message}", e);
        }
    }

    private string? WhatChanged(SampleIndex index)
    {
        var listed = index.Containers.Select(container => container.Name);
        if (index.IsTar && !TarScan.FindShards(root).Append(TarScan.ClassesFile).SequenceEqual(listed, StringComparer.Ordinal))
            return "the list of shards";
        return index.Containers.FirstOrDefault(container => PictureFiles.State(root, container.Name) != container).Name;
    }

    private string? TrySave(SampleIndex index)
    {
        foreach (var place in Places)
        {
            try
            {
                AtomicFile.Write(place, $"{Environment.ProcessId}", stream => stream.Write(index.File.Span));
                return place;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // A data set on a disk that is only read has its index elsewhere.
            }
        }

        return null;
    }
}
