using AdderNet.Core.Configuration;
using AdderNet.Core.Data.Images;
using AdderNet.Core.Data.Indexes;

namespace AdderNet.Core.Data;

/// <summary>A data set of single pictures as its owner works on it: indexed, verified, packed into tar shards.</summary>
public sealed class PictureDataSet
{
    // Any size: a verification looks at the whole picture.
    private const int CheckedSize = 224;
    private readonly string root;
    private readonly SampleIndex index;

    private PictureDataSet(string root, SampleIndex index, string? indexPath) => (this.root, this.index, IndexPath) = (root, index, indexPath);

    /// <summary><see cref="DataFormat.Folder"/> or <see cref="DataFormat.Tar"/>.</summary>
    public DataFormat Format => index.IsTar ? DataFormat.Tar : DataFormat.Folder;

    /// <summary>Number of classes.</summary>
    public int Classes => index.ClassNames.Count;

    /// <summary>Training pictures.</summary>
    public int TrainCount => index.TrainCount;

    /// <summary>Validation pictures.</summary>
    public int ValidationCount => index.Count - index.TrainCount;

    /// <summary>Pictures that are known not to decode.</summary>
    public int UndecodableCount => index.UndecodableCount;

    /// <summary>Where the index was written; null when it was there already.</summary>
    public string? IndexPath { get; }

    /// <summary>Hash of the data manifest.</summary>
    /// <param name="onError">With <see cref="OnTrouble.Skip"/> it says which pictures are left out.</param>
    public string ManifestHash(OnTrouble onError) => new IndexedManifest(index, onError == OnTrouble.Skip).Hash(Format);

    /// <summary>Lists a directory anew and writes its index.</summary>
    /// <param name="directory">The data directory: with tar shards, or else with class folders.</param>
    /// <param name="progress">Told the number of pictures from time to time.</param>
    /// <param name="cancellation">Ends it; nothing is written.</param>
    /// <exception cref="DataException">It is not laid out as a data set, or cannot be read; or the index cannot be written.</exception>
    public static PictureDataSet Index(string directory, Action<int>? progress, CancellationToken cancellation)
    {
        var root = Root(directory);
        var store = new IndexStore(root);
        var index = store.Make(TarScan.FindShards(root).Count > 0, progress, cancellation);
        return new PictureDataSet(root, index, store.Save(index));
    }

    /// <summary>Lists a directory anew, decodes every picture, and writes the index with the outcome.</summary>
    /// <param name="directory">The data directory.</param>
    /// <param name="threads">Threads to decode with.</param>
    /// <param name="progress">Told the number of pictures decoded, and of all, from time to time; from several threads.</param>
    /// <param name="cancellation">Ends it; nothing is written.</param>
    /// <returns>The data set, and a line for each picture that does not decode, in the order of names.</returns>
    /// <exception cref="DataException">A file could not be read at all: that says nothing about the picture, so nothing is written.</exception>
    public static (PictureDataSet Set, IReadOnlyList<string> Faults) Verify(string directory, int threads, Action<int, int>? progress, CancellationToken cancellation)
    {
        var root = Root(directory);
        var store = new IndexStore(root);
        var listed = store.Make(TarScan.FindShards(root).Count > 0, null, cancellation);
        using var pictures = new EncodedPictures(root, listed);
        using var pipeline = new PhotographPipeline(CheckedSize, Augmentation.None);
        var faults = new SortedDictionary<int, string>();
        var done = 0;
        try
        {
            Parallel.For(0, listed.Count, new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellation }, sample =>
            {
                var encoded = new byte[listed.Bytes(sample)];
                pictures.Read(sample, encoded);
                try
                {
                    pipeline.Check(encoded, pictures.Name(sample));
                }
                catch (DataException e)
                {
                    lock (faults)
                        faults.Add(sample, e.Message);
                }

                progress?.Invoke(Interlocked.Increment(ref done), listed.Count);
            });
        }
        catch (AggregateException e) when (e.InnerExceptions.OfType<DataException>().FirstOrDefault() is { } first)
        {
            throw first;
        }

        var verified = listed.WithVerification(faults.Keys);
        return (new PictureDataSet(root, verified, store.Save(verified)), [.. faults.Values]);
    }

    /// <summary>Packs a data set into tar shards, which <see cref="Index"/> can read; what an earlier call has finished is kept.</summary>
    /// <param name="source">The data directory.</param>
    /// <param name="destination">Folder that receives the shards and their index.</param>
    /// <param name="shardBytes">Bytes after which a shard is full.</param>
    /// <param name="progress">Told the number of pictures packed, and of all, from time to time.</param>
    /// <param name="cancellation">Ends it; the same call goes on from there.</param>
    /// <exception cref="DataException">A picture cannot be read, a shard cannot be written, or the destination holds something else.</exception>
    public static PictureDataSet Shard(string source, string destination, long shardBytes, Action<int, int>? progress, CancellationToken cancellation)
    {
        var root = Root(source);
        var index = new IndexStore(root).Open(TarScan.FindShards(root).Count > 0, null, cancellation);
        TarShards.Write(root, index, Path.GetFullPath(destination), shardBytes, progress, cancellation);
        return Index(destination, null, cancellation);
    }

    private static string Root(string directory) =>
        System.IO.Directory.Exists(directory) ? Path.GetFullPath(directory) : throw new DataException($"{directory}: is no directory");
}
