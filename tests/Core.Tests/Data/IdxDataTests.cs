using System.Buffers.Binary;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using Xunit;

namespace AdderNet.Core.Tests.Data;

public sealed class IdxDataTests : IDisposable
{
    private static readonly DataOptions Options = new() { Format = DataFormat.Idx };
    private readonly TemporaryDirectory directory = new();

    public IdxDataTests()
    {
        directory.Write("train-images-idx3-ubyte", Idx(0x803, [3, 2, 2], [0, 255, 10, 20, 1, 2, 3, 4, 5, 6, 7, 8]));
        directory.Write("train-labels-idx1-ubyte", Idx(0x801, [3], [7, 0, 9]));
        directory.Write("t10k-images-idx3-ubyte", Idx(0x803, [1, 2, 2], [9, 9, 9, 9]));
        directory.Write("t10k-labels-idx1-ubyte", Idx(0x801, [1], [4]));
    }

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Images_are_normalised_by_MNISTs_mean_and_deviation_in_float32()
    {
        var data = DataSource.Open(Options, directory.Path);
        Assert.Equal(new InputShape(2, 2, 1), data.Input);
        Assert.Equal((3, 1, 10), (data.Train.Count, data.Test.Count, data.Classes));
        Assert.Equal([7, 0, 9], Enumerable.Range(0, 3).Select(data.Train.Label));
        var image = new float[4];
        data.Train.Read(0, null, image);
        Assert.Equal([((0 / 255f) - 0.1307f) / 0.3081f, ((255 / 255f) - 0.1307f) / 0.3081f, ((10 / 255f) - 0.1307f) / 0.3081f, ((20 / 255f) - 0.1307f) / 0.3081f], image);
        data.Train.Read(2, new SampleDraw(1, 0), image);
        Assert.Equal(((5 / 255f) - 0.1307f) / 0.3081f, image[0]);
    }

    [Fact]
    public void The_manifest_names_the_files_with_sizes_and_hashes_and_nothing_of_the_place()
    {
        var manifest = DataSource.Open(Options, directory.Path).Manifest;
        Assert.Equal(["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", "train-images-idx3-ubyte", "train-labels-idx1-ubyte"], manifest.Entries.Select(entry => entry.Name));
        Assert.Equal(28, manifest.Entries[2].Bytes);
        using var elsewhere = new TemporaryDirectory();
        foreach (var file in Directory.GetFiles(directory.Path))
            File.Copy(file, elsewhere.File(Path.GetFileName(file).Replace("-idx", ".idx", StringComparison.Ordinal)));
        Assert.Equal(manifest.Hash, DataSource.Open(Options with { Path = elsewhere.Path }, null).Manifest.Hash);
        directory.Write("train-labels-idx1-ubyte", Idx(0x801, [3], [7, 0, 8]));
        Assert.NotEqual(manifest.Hash, DataSource.Open(Options, directory.Path).Manifest.Hash);
    }

    [Theory]
    [InlineData("train-images-idx3-ubyte", new byte[] { 0, 0, 8 }, "train-images-idx3-ubyte: has 3 bytes, too few for an IDX header of 16")]
    [InlineData("train-labels-idx1-ubyte", new byte[] { 0, 0, 8, 3, 0, 0, 0, 1, 5 }, "train-labels-idx1-ubyte: begins with 0x00000803, not the IDX magic 0x00000801")]
    [InlineData("train-labels-idx1-ubyte", new byte[] { 0x1f, 0x8b, 8, 0, 0, 0, 0, 1, 5 }, "it is compressed")]
    [InlineData("train-labels-idx1-ubyte", new byte[] { 0, 0, 8, 1, 0, 0, 0, 3, 5, 5 }, "train-labels-idx1-ubyte: 3 bytes by its header, but 2 follow it: the file is cut short")]
    [InlineData("train-labels-idx1-ubyte", new byte[] { 0, 0, 8, 1, 0, 0, 0, 1, 5, 5 }, "too long")]
    [InlineData("train-labels-idx1-ubyte", new byte[] { 0, 0, 8, 1, 0, 0, 0, 2, 5, 5 }, "train-labels-idx1-ubyte: has 2 labels, but train-images-idx3-ubyte beside it has 3 images")]
    [InlineData("train-labels-idx1-ubyte", new byte[] { 0, 0, 8, 1, 0, 0, 0, 0 }, "has a side of length 0")]
    [InlineData("train-images-idx3-ubyte", new byte[] { 0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0 }, "4294967295 x 4294967295 x 4294967295 bytes by its header, but 1 follow it: the file is cut short")]
    [InlineData("t10k-images-idx3-ubyte", new byte[] { 0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1, 9, 9 }, "training images are 2 x 2, test images 2 x 1")]
    public void A_damaged_file_is_refused_with_one_line_that_names_it(string file, byte[] bytes, string reason)
    {
        directory.Write(file, bytes);
        Refused(reason, Options);
    }

    [Fact]
    public void A_missing_or_compressed_file_is_named()
    {
        File.Move(directory.File("t10k-labels-idx1-ubyte"), directory.File("t10k-labels-idx1-ubyte.gz"));
        Refused("t10k-labels-idx1-ubyte: only t10k-labels-idx1-ubyte.gz is there; uncompress it first: gunzip ", Options);
        File.Delete(directory.File("t10k-labels-idx1-ubyte.gz"));
        Refused("t10k-labels-idx1-ubyte: no such file", Options);
    }

    [Fact]
    public void Places_that_are_no_directory_are_refused()
    {
        Assert.Equal("data.path: no/where is no directory; for example data.path: datasets/mnist", Assert.Throws<DataException>(() => DataSource.Open(Options with { Path = "no/where" }, null)).Message);
        Assert.Equal(
            "data.path: mnist is no directory; fetch the data set first: addernet data fetch mnist DIR, then --data DIR",
            Assert.Throws<DataException>(() => DataSource.Open(Options with { Path = "mnist" }, null)).Message);
        Assert.StartsWith("data.path is missing", Assert.Throws<DataException>(() => DataSource.Open(Options, null)).Message, StringComparison.Ordinal);
        Assert.Equal("mnist", DataSource.FetchableName("mnist"));
        Assert.Null(DataSource.FetchableName("./mnist"));
        Assert.Null(DataSource.FetchableName("imagenet"));
    }

    [Fact]
    public void More_labels_than_the_model_has_classes_are_refused()
    {
        var data = DataSource.Open(Options, directory.Path);
        data.RequireClasses(10);
        var error = Assert.Throws<DataException>(() => data.RequireClasses(9));
        Assert.Equal("the data has labels up to 9, but model.classes: 9 allows up to 8; for example model.classes: 10", error.Message);
    }

    private static byte[] Idx(int magic, int[] sides, byte[] content)
    {
        var bytes = new byte[4 + (4 * sides.Length)];
        BinaryPrimitives.WriteInt32BigEndian(bytes, magic);
        for (var i = 0; i < sides.Length; i++)
            BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4 + (4 * i)), sides[i]);
        return [.. bytes, .. content];
    }

    private void Refused(string reason, DataOptions options)
    {
        var error = Assert.Throws<DataException>(() => DataSource.Open(options, directory.Path));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }
}
