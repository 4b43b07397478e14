using AdderNet.Core.Configuration;
using AdderNet.Core.Data.Indexes;

namespace AdderNet.Core.Data;

/// <summary>An opened data set.</summary>
public sealed class DataSource : IDisposable
{
    /// <summary>Data sets that <c>train</c> fetches when <c>data.path</c> is their bare name and no such directory exists.</summary>
    private static readonly string[] Fetchable = ["mnist", "fashion-mnist"];

    private readonly IndexedPictures? pictures;

    private DataSource(ISampleSet train, ISampleSet test, DataManifest manifest, InputShape input)
    {
        (Train, Test, Manifest, Input) = (train, test, manifest, input);
        Classes = 1 + Math.Max(LargestLabel(train), LargestLabel(test));
    }

    private DataSource(IndexedPictures pictures)
    {
        this.pictures = pictures;
        (Train, Test, Manifest, Input) = (pictures.Train, pictures.Validation, pictures.Manifest, pictures.Input);
        (Classes, ClassNames) = (pictures.Index.ClassNames.Count, pictures.Index.ClassNames);
    }

    /// <summary>Training samples.</summary>
    public ISampleSet Train { get; }

    /// <summary>Test samples.</summary>
    public ISampleSet Test { get; }

    /// <summary>What the set consists of.</summary>
    public DataManifest Manifest { get; }

    /// <summary>Shape of one sample.</summary>
    public InputShape Input { get; }

    /// <summary>The largest label plus one; of folder and tar the number of classes.</summary>
    public int Classes { get; }

    /// <summary>What the classes of a folder or tar data set are called; empty for others.</summary>
    public IReadOnlyList<string> ClassNames { get; } = [];

    /// <summary>Opens and checks a data set; idx and cifar are read into memory, folder and tar are indexed where they are not yet.</summary>
    /// <param name="options">Section <c>data</c>.</param>
    /// <param name="pathOverride">Directory to use instead of <c>data.path</c>; null for none.</param>
    /// <exception cref="DataException">It is missing or damaged.</exception>
    public static DataSource Open(DataOptions options, string? pathOverride) => options.Format switch
    {
        DataFormat.Idx => OpenIdx(Directory(options, pathOverride), options),
        DataFormat.Cifar => OpenCifar(Directory(options, pathOverride), options),
        DataFormat.Synthetic => OpenSynthetic(options),
        _ => new DataSource(IndexedPictures.Open(Directory(options, pathOverride), options)),
    };

    /// <summary>The name of a data set that can be fetched, if that is what a <c>data.path</c> is: a bare <c>mnist</c> or <c>fashion-mnist</c>, and no directory of that name exists.</summary>
    public static string? FetchableName(string? path) =>
        path is not null && Fetchable.Contains(path, StringComparer.Ordinal) && !System.IO.Directory.Exists(path) ? path : null;

    /// <summary>Refuses labels that the model has no output for.</summary>
    /// <param name="classes"><c>model.classes</c>.</param>
    /// <exception cref="DataException">A label is too large.</exception>
    public void RequireClasses(int classes)
    {
        if (Classes > classes)
            throw new DataException($"the data has labels up to {Classes - 1}, but model.classes: {classes} allows up to {classes - 1}; for example model.classes: {Classes}");
    }

    /// <summary>Closes the files of a folder or tar data set.</summary>
    public void Dispose() => pictures?.Dispose();

    private static DataSource OpenIdx(string directory, DataOptions options)
    {
        var files = new DataFiles(directory);
        IPixels train = IdxFiles.ReadTrain(files), test = IdxFiles.ReadTest(files);
        if (train.Shape != test.Shape)
            throw new DataException($"{directory}: training images are {train.Shape.Height} x {train.Shape.Width}, test images {test.Shape.Height} x {test.Shape.Width}");
        return Of(train, test, IdxFiles.Scales, options, files.Entries);
    }

    private static DataSource OpenCifar(string directory, DataOptions options)
    {
        var files = CifarFiles.Read(directory);
        return Of(files.Train, files.Test, files.Scales, options, files.Files.Entries);
    }

    private static DataSource OpenSynthetic(DataOptions options)
    {
        var train = new SyntheticImages(options.ImageSize, test: false);
        return Of(
            train, new SyntheticImages(options.ImageSize, test: true), [.. Enumerable.Repeat(SyntheticImages.Scale, train.Shape.Channels)], options,
            [new DataManifestEntry($"{SyntheticImages.Recipe}/{options.ImageSize}", 0, null, null)]);
    }

    private static DataSource Of(IPixels train, IPixels test, IReadOnlyList<ChannelScale> scales, DataOptions options, IReadOnlyList<DataManifestEntry> entries) => new(
        new PixelSampleSet(train, scales, options.Augment), new PixelSampleSet(test, scales, Augmentation.None),
        new DataManifest(options.Format, entries), train.Shape);

    private static string Directory(DataOptions options, string? pathOverride)
    {
        var directory = pathOverride ?? options.Path
            ?? throw new DataException($"data.path is missing, but data.format: {Spelling.Of(options.Format)} reads files; for example data.path: datasets/mnist, or --data DIR");
        if (System.IO.Directory.Exists(directory))
            return directory;
        throw new DataException(FetchableName(directory) is { } name
            ? $"data.path: {directory} is no directory; fetch the data set first: addernet data fetch {name} DIR, then --data DIR"
            : $"data.path: {directory} is no directory; for example data.path: datasets/mnist");
    }

    private static int LargestLabel(ISampleSet set)
    {
        var largest = 0;
        for (var i = 0; i < set.Count; i++)
            largest = Math.Max(largest, set.Label(i));
        return largest;
    }
}
