using AdderNet.Core.Configuration;
using AdderNet.Core.Data.Images;

namespace AdderNet.Core.Data.Indexes;

/// <summary>A data set of single pictures, opened for training: class folders or tar shards.</summary>
internal sealed class IndexedPictures : IDisposable
{
    private const int Channels = 3;
    private readonly EncodedPictures encoded;
    private readonly PhotographPipeline pipeline;

    private IndexedPictures(SampleIndex index, EncodedPictures encoded, DataOptions options)
    {
        var skip = options.OnError == OnTrouble.Skip;
        (Index, this.encoded) = (index, encoded);
        pipeline = new PhotographPipeline(options.ImageSize, options.Augment, options.Decode);
        Train = new IndexedSampleSet(index, encoded, pipeline, 0, index.TrainCount, skip);
        Validation = new IndexedSampleSet(index, encoded, pipeline, index.TrainCount, index.Count, skip);
        Manifest = new DataManifest(options.Format, new IndexedManifest(index, skip));
        Input = new InputShape(options.ImageSize, options.ImageSize, Channels);
    }

    public SampleIndex Index { get; }

    public ISampleSet Train { get; }

    public ISampleSet Validation { get; }

    public DataManifest Manifest { get; }

    public InputShape Input { get; }

    /// <summary>Opens a data set by its index, which is made where there is none.</summary>
    /// <exception cref="DataException">It cannot be indexed, its index is damaged, or with <c>on_error: stop</c> a picture is known not to decode.</exception>
    public static IndexedPictures Open(string directory, DataOptions options)
    {
        var root = Path.GetFullPath(directory);
        var index = new IndexStore(root).Open(options.Format == DataFormat.Tar, null, CancellationToken.None);
        var encoded = new EncodedPictures(root, index);
        if (options.OnError == OnTrouble.Stop && index.UndecodableCount is > 0 and var count)
        {
            var first = Enumerable.Range(0, index.Count).First(index.IsUndecodable);
            throw new DataException(
                $"{encoded.Name(first)}: {(index.Bytes(first) == 0 ? "is empty (0 bytes)" : "cannot be decoded")}{(count == 1 ? "" : $", nor can {count - 1} more")}; mend or remove such files, or leave them out with data.on_error: skip");
        }

        return new IndexedPictures(index, encoded, options);
    }

    public void Dispose()
    {
        pipeline.Dispose();
        encoded.Dispose();
    }
}
