using AdderNet.Core.Data;

namespace AdderNet.Cli.DataSets;

/// <summary>What a description's <c>data.path</c>, or <c>--data</c>, means on this machine.</summary>
internal static class DataLocation
{
    /// <summary>
    /// A bare <c>mnist</c> or <c>fashion-mnist</c> means the set in the cache, to be fetched first, unless a folder of that
    /// name is here; anything else is a folder.
    /// </summary>
    public static (string? Folder, IdxDataSet? Fetch) Resolve(string? path)
    {
        if (path is null)
            return (null, null);
        if (DataSource.FetchableName(path) is { } name && IdxDataSet.Find(name) is { } set)
            return (DataSetFetch.CacheFolder(set), set);
        return (Path.GetFullPath(path), null);
    }
}
