using System.Formats.Tar;
using System.Text;
using AdderNet.Core.Checkpoints;

namespace AdderNet.Core.Data.Indexes;

/// <summary>
/// Writes a data set as tar shards in the order of its samples: <c>train-000000.tar</c> and so on, each sample as
/// <c>CLASS/NAME.EXTENSION</c> and <c>CLASS/NAME.cls</c>. What a shard holds follows from the samples and the size alone, and
/// shards appear whole, so that an interrupted run is taken up with the next and leaves the same bytes.
/// </summary>
internal static class TarShards
{
    /// <summary>Says which data set the shards beside it are made of.</summary>
    private const string NoteFile = ".addernet-shards";

    private const int BlockBytes = 512;

    private readonly record struct Part(string File, int First, int End);

    /// <param name="root">The data directory.</param>
    /// <param name="index">Its index.</param>
    /// <param name="destination">Folder of the shards.</param>
    /// <param name="shardBytes">Bytes after which a shard is full.</param>
    /// <param name="progress">Told the number of pictures packed, and of all.</param>
    /// <param name="cancellation">Ends it between two pictures.</param>
    /// <exception cref="DataException">A picture cannot be read, a shard cannot be written, or the destination holds something else.</exception>
    public static void Write(string root, SampleIndex index, string destination, long shardBytes, Action<int, int>? progress, CancellationToken cancellation)
    {
        using var pictures = new EncodedPictures(root, index);
        try
        {
            Claim(destination, index, shardBytes);
            Save(Path.Combine(destination, TarScan.ClassesFile), stream => stream.Write(Encoding.UTF8.GetBytes(string.Concat(index.ClassNames.Select(name => name + "\n")))));
            foreach (var part in Plan(index, shardBytes))
            {
                var path = Path.Combine(destination, part.File);
                if (!File.Exists(path))
                    Save(path, stream => Pack(stream, index, pictures, part, count => progress?.Invoke(count, index.Count), cancellation));
                progress?.Invoke(part.End, index.Count);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{destination}: shards cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Consecutive samples of one set, as many as fill a shard.</summary>
    private static IEnumerable<Part> Plan(SampleIndex index, long shardBytes)
    {
        foreach (var (set, first, end) in new[] { (FolderScan.Train, 0, index.TrainCount), (FolderScan.Validation, index.TrainCount, index.Count) })
        {
            var (number, begin, bytes) = (0, first, 0L);
            for (var sample = first; sample < end; sample++)
            {
                bytes += (3 * BlockBytes) + index.Bytes(sample);
                if (bytes < shardBytes && sample + 1 < end)
                    continue;
                yield return new Part($"{set}-{number++:000000}.tar", begin, sample + 1);
                (begin, bytes) = (sample + 1, 0);
            }
        }
    }

    private static void Pack(Stream stream, SampleIndex index, EncodedPictures pictures, Part part, Action<int> progress, CancellationToken cancellation)
    {
        using var tar = new TarWriter(stream, TarEntryFormat.Gnu, leaveOpen: true);
        for (var sample = part.First; sample < part.End; sample++)
        {
            cancellation.ThrowIfCancellationRequested();
            var (key, extension) = Key(index.Name(sample));
            var encoded = new byte[index.Bytes(sample)];
            pictures.Read(sample, encoded);
            Add(tar, $"{key}.{extension}", encoded);
            Add(tar, $"{key}.cls", Encoding.ASCII.GetBytes(index.Label(sample).ToString("0", null)));
            progress(sample + 1);
        }
    }

    // No time, owner or other circumstance enters a shard.
    private static void Add(TarWriter tar, string name, byte[] content) => tar.WriteEntry(new GnuTarEntry(TarEntryType.RegularFile, name)
    {
        ModificationTime = DateTimeOffset.UnixEpoch,
        AccessTime = DateTimeOffset.UnixEpoch,
        ChangeTime = DateTimeOffset.UnixEpoch,
        Mode = (UnixFileMode)0b110_100_100,
        DataStream = new MemoryStream(content, writable: false),
    });

    /// <summary>Key and extension of a sample: readers of WebDataset take everything behind the first point of the file name for the extension.</summary>
    private static (string Key, string Extension) Key(string name)
    {
        var below = name[(name.IndexOf('/', StringComparison.Ordinal) + 1)..];
        var file = below.LastIndexOf('/') + 1;
        var point = below.LastIndexOf('.');
        return (below[..file] + below[file..point].Replace("%", "%25", StringComparison.Ordinal).Replace(".", "%2E", StringComparison.Ordinal), below[(point + 1)..]);
    }

    private static void Claim(string destination, SampleIndex index, long shardBytes)
    {
        var note = Path.Combine(destination, NoteFile);
        var mine = $"addernet shards 1\nmanifest {new IndexedManifest(index, skipUndecodable: false).Hash(index.IsTar ? Configuration.DataFormat.Tar : Configuration.DataFormat.Folder)}\nbytes {shardBytes}\n";
        if (File.Exists(note))
        {
            if (File.ReadAllText(note) != mine)
                throw new DataException($"{destination}: holds shards of another data set or of another size; give a folder of its own, or the --shard-megabytes of before");
            return;
        }

        if (Directory.Exists(destination) && Directory.EnumerateFileSystemEntries(destination).Any(path => !path.EndsWith(".tmp", StringComparison.Ordinal)))
            throw new DataException($"{destination}: is not empty; give a folder of its own");
        Save(note, stream => stream.Write(Encoding.UTF8.GetBytes(mine)));
    }

    private static void Save(string path, Action<Stream> write) => AtomicFile.Write(path, $"{Environment.ProcessId}", write);
}
