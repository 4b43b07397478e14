namespace AdderNet.Core.Data.Indexes;

/// <summary>An entry of a listed folder, symbolic links followed.</summary>
/// <param name="Name">Its name in the folder.</param>
/// <param name="Path">Its full path.</param>
/// <param name="IsFolder">Whether it is a folder.</param>
/// <param name="Bytes">Length of a file.</param>
/// <param name="Target">Where a symbolic link leads in the end; null when it is none.</param>
internal readonly record struct ListedEntry(string Name, string Path, bool IsFolder, long Bytes, string? Target);

/// <summary>Looks at the files of a data set; every fault becomes one line that names the file.</summary>
internal static class PictureFiles
{
    /// <summary>Longer files are no pictures.</summary>
    public const long LargestPicture = 1L << 30;

    /// <summary>Characters that stand where a name's bytes are no UTF-8.</summary>
    private const char Replacement = '\uFFFD';

    /// <summary>Order of names by their UTF-8 bytes, which is the order of their code points.</summary>
    public static IComparer<string> Order { get; } = Comparer<string>.Create(CompareCodePoints);

    /// <summary>Whether a file name ends as a picture's does: .jpg, .jpeg, .png, in any case.</summary>
    public static bool IsPicture(string name) =>
        name.EndsWith(".jpg", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".jpeg", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".png", StringComparison.OrdinalIgnoreCase);

    /// <summary>Lists a folder in the order of its names.</summary>
    /// <exception cref="DataException">It cannot be listed, or holds a name or a link that cannot be used.</exception>
    public static List<ListedEntry> List(string folder)
    {
        try
        {
            var entries = new DirectoryInfo(folder).EnumerateFileSystemInfos().Select(Look).ToList();
            entries.Sort((a, b) => Order.Compare(a.Name, b.Name));
            return entries;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Security.SecurityException)
        {
            throw new DataException($"{folder}: cannot be listed: {e.Message}", e);
        }
    }

    /// <summary>What an index remembers of a folder or file, to see later whether it has changed.</summary>
    /// <param name="root">The data directory.</param>
    /// <param name="name">Path below it, with '/'.</param>
    /// <exception cref="DataException">It cannot be looked at.</exception>
    public static IndexContainer State(string root, string name)
    {
        var path = Path.Combine(root, name);
        try
        {
            FileSystemInfo info = Directory.Exists(path) ? new DirectoryInfo(path) : new FileInfo(path);
            if (info.LinkTarget is not null)
                info = info.ResolveLinkTarget(returnFinalTarget: true) ?? info;
            return info.Exists ? new IndexContainer(name, info.LastWriteTimeUtc.Ticks, (info as FileInfo)?.Length ?? 0) : new IndexContainer(name, 0, 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{path}: cannot be looked at: {e.Message}", e);
        }
    }

    private static ListedEntry Look(FileSystemInfo found)
    {
        if (found.Name.Contains(Replacement, StringComparison.Ordinal) && !Path.Exists(found.FullName))
            throw new DataException($"{Path.GetDirectoryName(found.FullName)}: the name {found.Name} is not UTF-8; rename it");
        if (found.LinkTarget is null)
            return new ListedEntry(found.Name, found.FullName, found is DirectoryInfo, (found as FileInfo)?.Length ?? 0, null);
        FileSystemInfo? target;
        try
        {
            target = found.ResolveLinkTarget(returnFinalTarget: true);
        }
        catch (IOException e)
        {
            throw new DataException($"{found.FullName}: a symbolic link that leads nowhere: {e.Message}", e);
        }

        if (target is not { Exists: true })
            throw new DataException($"{found.FullName}: a symbolic link to {found.LinkTarget}, which is not there");
        return new ListedEntry(found.Name, found.FullName, target is DirectoryInfo, (target as FileInfo)?.Length ?? 0, target.FullName);
    }

    private static int CompareCodePoints(string? a, string? b)
    {
        ReadOnlySpan<char> left = a, right = b;
        var same = left.CommonPrefixLength(right);
        if (same == left.Length || same == right.Length)
            return left.Length - right.Length;
        // Surrogates stand for code points above all others, though their own values are not the largest.
        var (x, y) = (left[same], right[same]);
        return char.IsSurrogate(x) == char.IsSurrogate(y) ? x - y : char.IsSurrogate(x) ? 1 : -1;
    }
}
