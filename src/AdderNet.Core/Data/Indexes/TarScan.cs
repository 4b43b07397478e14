using System.Formats.Tar;

namespace AdderNet.Core.Data.Indexes;

/// <summary>
/// Indexes tar shards as WebDataset names them: <c>KEY.jpg</c> and beside it <c>KEY.cls</c> or <c>KEY.json</c>, in
/// <c>train*.tar</c> and <c>val*.tar</c> of the data directory or in every <c>.tar</c> of its folders <c>train</c> and <c>val</c>.
/// </summary>
internal sealed class TarScan
{
    /// <summary>One class name a line; without it classes are called by their numbers.</summary>
    public const string ClassesFile = "classes.txt";

    private const string Extension = ".tar";
    private const int BlockBytes = 512;
    private readonly string root;
    private readonly SampleIndexBuilder builder;
    private readonly List<string> classes;
    private readonly Action<int>? progress;
    private readonly CancellationToken cancellation;
    private int largestLabel = -1;

    private TarScan(string root, Action<int>? progress, CancellationToken cancellation)
    {
        (this.root, this.progress, this.cancellation) = (root, progress, cancellation);
        builder = new SampleIndexBuilder(root, isTar: true);
        classes = ReadClasses();
    }

    /// <summary>Reads every shard's headers and labels.</summary>
    /// <param name="root">The data directory, absolute.</param>
    /// <param name="progress">Told the number of samples from time to time.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <exception cref="DataException">A shard is damaged, or a sample has no label or picture.</exception>
    public static SampleIndex Run(string root, Action<int>? progress, CancellationToken cancellation)
    {
        var scan = new TarScan(root, progress, cancellation);
        var shards = FindShards(root);
        if (!shards.Any(shard => IsOf(FolderScan.Train, shard)))
            throw new DataException($"{root}: has no training shards; they are expected as train-000000.tar or train/000000.tar");
        foreach (var shard in shards)
            scan.AddShard(shard);
        scan.builder.AddContainer(PictureFiles.State(root, ClassesFile));
        var named = scan.classes.Count > 0 ? scan.classes : Enumerable.Range(0, scan.largestLabel + 1).Select(label => label.ToString("0", null));
        foreach (var name in named)
            scan.builder.AddClass(name);
        return scan.builder.Build();
    }

    /// <summary>Paths of the shards below a data directory, with '/', in the order of their names.</summary>
    public static IReadOnlyList<string> FindShards(string root)
    {
        var top = PictureFiles.List(root).Where(entry => !entry.IsFolder && IsShard(entry.Name)).Select(entry => entry.Name)
            .Where(name => IsOf(FolderScan.Train, name) || IsOf(FolderScan.Validation, name));
        var below = new[] { FolderScan.Train, FolderScan.Validation }.Where(set => Directory.Exists(Path.Combine(root, set)))
            .SelectMany(set => PictureFiles.List(Path.Combine(root, set)).Where(entry => !entry.IsFolder && IsShard(entry.Name)).Select(entry => $"{set}/{entry.Name}"));
        return [.. top.Concat(below).Order(PictureFiles.Order)];
    }

    private static bool IsShard(string name) => name.EndsWith(Extension, StringComparison.OrdinalIgnoreCase);

    private static bool IsOf(string set, string shard) => shard.StartsWith(set, StringComparison.Ordinal);

    private List<string> ReadClasses()
    {
        var path = Path.Combine(root, ClassesFile);
        try
        {
            return File.Exists(path) ? [.. File.ReadAllLines(path)] : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{path}: cannot be read: {e.Message}", e);
        }
    }

    private void AddShard(string shard)
    {
        var state = PictureFiles.State(root, shard);
        var container = builder.AddContainer(state);
        var path = Path.Combine(root, shard);
        var set = IsOf(FolderScan.Train, shard) ? FolderScan.Train : FolderScan.Validation;
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            using var tar = new TarReader(file, leaveOpen: true);
            var end = 0L;
            var sample = new TarSample("", path);
            while (tar.GetNextEntry() is { } entry)
            {
                cancellation.ThrowIfCancellationRequested();
                if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile))
                    continue;
                end = entry.DataOffset + entry.Length;
                if (end > file.Length)
                    throw new DataException($"{path}: is cut short: {entry.Name} ends at byte {end} of {file.Length}");
                var (key, extension) = TarSample.Split(entry.Name, path);
                if (key != sample.Key)
                {
                    Add(sample, set, container);
                    sample = new TarSample(key, path);
                }

                sample.Take(entry, extension);
            }

            Add(sample, set, container);
            RequireEnd(file, end, path);
        }
        catch (Exception e) when (e is not (DataException or OperationCanceledException or OutOfMemoryException))
        {
            // The reader of headers has many ways to say that one makes no sense.
            throw new DataException($"{path}: cannot be read as a tar file, it is damaged or cut short: {e.Message}", e);
        }
    }

    private void Add(TarSample sample, string set, int container)
    {
        if (sample.IsEmpty)
            return;
        var (label, extension, offset, bytes) = sample.Complete();
        if (classes.Count > 0 && label >= classes.Count)
            throw sample.Wrong($"has label {label}, but {ClassesFile} names {classes.Count} classes, 0 to {classes.Count - 1}");
        largestLabel = Math.Max(largestLabel, label);
        builder.Add($"{set}/{sample.Key}.{extension}", label, bytes, container, offset);
        if (builder.Count % 1000 == 0)
            progress?.Invoke(builder.Count);
    }

    /// <summary>Behind the last member comes a block of zeros; where it lacks, members may be missing.</summary>
    private static void RequireEnd(FileStream file, long end, string path)
    {
        Span<byte> block = stackalloc byte[BlockBytes];
        file.Position = (end + BlockBytes - 1) / BlockBytes * BlockBytes;
        if (file.ReadAtLeast(block, BlockBytes, throwOnEndOfStream: false) < BlockBytes || block.ContainsAnyExcept((byte)0))
            throw new DataException($"{path}: is cut short: it lacks the zeros that end a tar file");
    }
}
