using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Tests.Data.Images;

namespace AdderNet.Core.Tests.Data.Indexes;

/// <summary>A directory of pictures for one test.</summary>
internal sealed class PictureFolder : IDisposable
{
    private static readonly byte[][] Encoded = [.. GoldenPictures.Names.Select(GoldenPictures.Encoded)];
    private readonly TemporaryDirectory directory = new();
    private int written;

    public string Path => directory.Path;

    public string IndexFile => directory.File(".addernet-index");

    /// <summary>Two classes of three and two training pictures, and two validation pictures.</summary>
    public static PictureFolder Small()
    {
        var folder = new PictureFolder();
        folder.Add("train/cat/b.jpg", "train/cat/a.JPEG", "train/cat/deep/c.jpg", "train/dog/1.jpg", "train/dog/2.png", "val/dog/9.jpg", "val/cat/3.jpg");
        return folder;
    }

    public static DataOptions Options(DataFormat format = DataFormat.Folder, OnTrouble onError = OnTrouble.Stop) =>
        new() { Format = format, ImageSize = 16, OnError = onError };

    /// <summary>Writes some picture under each name.</summary>
    public void Add(params string[] names)
    {
        foreach (var name in names)
            directory.Write(name, Encoded[written++ % Encoded.Length]);
    }

    public void Write(string name, byte[] bytes) => directory.Write(name, bytes);

    public void Write(string name, string text) => directory.Write(name, System.Text.Encoding.UTF8.GetBytes(text));

    public string File(string name) => directory.File(name);

    public void Link(string name, string target)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(File(name))!);
        System.IO.File.CreateSymbolicLink(File(name), target);
    }

    public DataSource Open(DataFormat format = DataFormat.Folder, OnTrouble onError = OnTrouble.Stop) => DataSource.Open(Options(format, onError), Path);

    /// <summary>The one line with which an attempt fails.</summary>
    public string Refusal(DataFormat format = DataFormat.Folder, OnTrouble onError = OnTrouble.Stop)
    {
        var message = Xunit.Assert.Throws<DataException>(() => Open(format, onError)).Message;
        Xunit.Assert.DoesNotContain('\n', message);
        return message;
    }

    public void Dispose() => directory.Dispose();
}
