using System.Globalization;
using System.Text.RegularExpressions;

namespace AdderNet.Core.Data.Indexes;

/// <summary>
/// Labels of ILSVRC2012's flat validation folder: <c>ILSVRC2012_val_NNNNNNNN.JPEG</c> has the class whose number stands in
/// line N of the development kit's ground truth, and the kit says which WordNet id, the name of a training folder, has that number.
/// </summary>
internal sealed partial class FlatGroundTruth
{
    private static readonly string[] Folders = ["", "devkit", "devkit/data", "ILSVRC2012_devkit_t12/data"];
    private static readonly string[] TruthNames = ["ILSVRC2012_validation_ground_truth.txt", "ILSVRC2012_clsloc_validation_ground_truth.txt"];
    private const string TextMap = "map_clsloc.txt";
    private const string MatlabMap = "meta.mat";
    private readonly string truthPath;
    private readonly List<int> labels;

    private FlatGroundTruth(string truthPath, List<int> labels, string[] files) =>
        (this.truthPath, this.labels, Files) = (truthPath, labels, files);

    /// <summary>The files that labels come from, below the data directory.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>Finds and reads the kit's files.</summary>
    /// <param name="root">The data directory.</param>
    /// <param name="classes">Label of each training folder.</param>
    /// <exception cref="DataException">A file is missing or wrong.</exception>
    public static FlatGroundTruth Read(string root, IReadOnlyDictionary<string, int> classes)
    {
        var truth = Find(root, TruthNames)
            ?? throw new DataException($"{Path.Combine(root, FolderScan.Validation)}: holds pictures but no class folders, and there is no {TruthNames[0]} in {root}, devkit or ILSVRC2012_devkit_t12/data; use val/CLASS/NAME.jpg, or put the development kit there");
        var map = Find(root, [TextMap, MatlabMap])
            ?? throw new DataException($"{Path.Combine(root, truth)}: there is neither {MatlabMap} nor {TextMap} beside it, one of which says which class a number means");
        var mapPath = Path.Combine(root, map);
        var synsets = map.EndsWith(MatlabMap, StringComparison.Ordinal) ? MatlabSynsets.Read(mapPath) : ReadTextMap(mapPath);
        var truthPath = Path.Combine(root, truth);
        var labels = new List<int>();
        foreach (var line in ReadLines(truthPath))
        {
            if (!int.TryParse(line.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || !synsets.TryGetValue(number, out var synset))
                throw new DataException($"{truthPath}: line {labels.Count + 1} is '{Short(line)}', which is no class number of {map}, such as 490");
            if (!classes.TryGetValue(synset, out var label))
                throw new DataException($"{truthPath}: line {labels.Count + 1} means class {synset}, but there is no folder {FolderScan.Train}/{synset}");
            labels.Add(label);
        }

        return new FlatGroundTruth(truthPath, labels, [truth, map]);
    }

    /// <summary>The label of a validation picture.</summary>
    /// <exception cref="DataException">Its name has no number, or the ground truth no such line.</exception>
    public int Label(string picture)
    {
        var number = PictureNumber().Match(Path.GetFileName(picture));
        if (!number.Success || !int.TryParse(number.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var line))
            throw new DataException($"{picture}: pictures of a flat validation folder are called ILSVRC2012_val_NNNNNNNN.JPEG");
        return line >= 1 && line <= labels.Count
            ? labels[line - 1]
            : throw new DataException($"{picture}: {truthPath} has {labels.Count} lines, none of number {line}");
    }

    private static string? Find(string root, string[] names) =>
        Folders.SelectMany(folder => names.Select(name => folder.Length == 0 ? name : $"{folder}/{name}")).FirstOrDefault(name => File.Exists(Path.Combine(root, name)));

    // Lines such as "n02119789 1 kit_fox".
    private static Dictionary<int, string> ReadTextMap(string path)
    {
        var map = new Dictionary<int, string>();
        foreach (var line in ReadLines(path))
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (words.Length < 2 || !int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) || !map.TryAdd(number, words[0]))
                throw new DataException($"{path}: '{Short(line)}' is no line such as 'n02119789 1 kit_fox' with a number of its own");
        }

        return map;
    }

    private static string[] ReadLines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{path}: cannot be read: {e.Message}", e);
        }
    }

    private static string Short(string line) => line.Length <= 40 ? line : line[..40] + "...";

    [GeneratedRegex(@"_val_(\d{8})\.\w+$", RegexOptions.CultureInvariant)]
    private static partial Regex PictureNumber();
}
