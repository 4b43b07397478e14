namespace AdderNet.Core.Data.Indexes;

/// <summary>
/// Indexes class folders as torchvision's ImageFolder lays them out: <c>train/CLASS/**/*.jpg</c>, the same below
/// <c>val</c>, or there ILSVRC2012's flat layout. Labels are the places of the training classes in the order of their names.
/// </summary>
internal sealed class FolderScan
{
    public const string Train = "train";
    public const string Validation = "val";
    private const int DeepestFolder = 16;
    private readonly string root;
    private readonly SampleIndexBuilder builder;
    private readonly Dictionary<string, int> labels = new(StringComparer.Ordinal);
    private readonly Action<int>? progress;
    private readonly CancellationToken cancellation;

    private FolderScan(string root, Action<int>? progress, CancellationToken cancellation)
    {
        (this.root, this.progress, this.cancellation) = (root, progress, cancellation);
        builder = new SampleIndexBuilder(root, isTar: false);
    }

    /// <summary>Lists everything below a data directory.</summary>
    /// <param name="root">The data directory, absolute.</param>
    /// <param name="progress">Told the number of samples from time to time.</param>
    /// <param name="cancellation">Ends the walk.</param>
    /// <exception cref="DataException">It is not laid out so, or cannot be read.</exception>
    public static SampleIndex Run(string root, Action<int>? progress, CancellationToken cancellation)
    {
        var scan = new FolderScan(root, progress, cancellation);
        scan.AddTraining();
        scan.AddValidation();
        return scan.builder.Build();
    }

    private void AddTraining()
    {
        var folder = Path.Combine(root, Train);
        if (!Directory.Exists(folder))
            throw new DataException($"{root}: has no folder {Train}; pictures are expected as {Train}/CLASS/NAME.jpg and {Validation}/CLASS/NAME.jpg");
        var classes = Note(Train).Where(entry => entry.IsFolder).ToList();
        if (classes.Count == 0)
            throw new DataException($"{folder}: has no class folder; pictures are expected as {Train}/CLASS/NAME.jpg");
        foreach (var found in classes)
        {
            labels.Add(found.Name, labels.Count);
            builder.AddClass(found.Name);
        }

        foreach (var found in classes)
            AddClass(Train, found);
    }

    private void AddValidation()
    {
        var entries = Note(Validation);
        var folders = entries.Where(entry => entry.IsFolder).ToList();
        foreach (var found in folders)
        {
            if (!labels.ContainsKey(found.Name))
                throw new DataException($"{found.Path}: there is no class {Train}/{found.Name}; validation classes must be training classes");
            AddClass(Validation, found);
        }

        var pictures = entries.Where(entry => !entry.IsFolder && PictureFiles.IsPicture(entry.Name)).ToList();
        if (folders.Count == 0 && pictures.Count > 0)
            AddFlat(pictures);
    }

    private void AddFlat(List<ListedEntry> pictures)
    {
        var truth = FlatGroundTruth.Read(root, labels);
        foreach (var file in truth.Files)
            builder.AddContainer(PictureFiles.State(root, file));
        foreach (var picture in pictures)
            Add($"{Validation}/{picture.Name}", picture, truth.Label(picture.Path));
    }

    private void AddClass(string set, ListedEntry found)
    {
        var before = builder.Count;
        Walk($"{set}/{found.Name}", found, labels[found.Name], [Path.Combine(root, set)]);
        if (builder.Count == before)
            throw new DataException($"{found.Path}: the class is empty: it holds no .jpg, .jpeg or .png file");
    }

    private void Walk(string name, ListedEntry folder, int label, List<string> above)
    {
        if (above.Count > DeepestFolder || (folder.Target is { } target && above.Exists(path => IsWithin(path, target))))
            throw new DataException($"{folder.Path}: a symbolic link back to a folder that it lies in");
        above.Add(folder.Target ?? folder.Path);
        foreach (var entry in Note(name))
        {
            if (entry.IsFolder)
                Walk($"{name}/{entry.Name}", entry, label, above);
            else if (PictureFiles.IsPicture(entry.Name))
                Add($"{name}/{entry.Name}", entry, label);
        }

        above.RemoveAt(above.Count - 1);
    }

    private void Add(string name, ListedEntry picture, int label)
    {
        if (picture.Bytes > PictureFiles.LargestPicture)
            throw new DataException($"{picture.Path}: has {picture.Bytes} bytes; a picture has at most {PictureFiles.LargestPicture}");
        builder.Add(name, label, picture.Bytes);
        if (builder.Count % 1000 == 0)
            progress?.Invoke(builder.Count);
    }

    /// <summary>Lists a folder, remembering how it was just before.</summary>
    private List<ListedEntry> Note(string name)
    {
        cancellation.ThrowIfCancellationRequested();
        var state = PictureFiles.State(root, name);
        builder.AddContainer(state);
        return state.Time == 0 ? [] : PictureFiles.List(Path.Combine(root, name));
    }

    // A link to a folder above the walk's beginning would come back to it as well.
    private static bool IsWithin(string path, string folder) =>
        path == folder || path.StartsWith(folder.TrimEnd(Path.DirectorySeparatorChar) + Path.DirectorySeparatorChar, StringComparison.Ordinal);
}
