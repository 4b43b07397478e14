using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Tests.Data.Images;
using Xunit;

namespace AdderNet.Core.Tests.Data.Indexes;

public sealed class PictureDataSetTests
{
    private static readonly byte[] Jpeg = GoldenPictures.Encoded(GoldenPictures.Names.First(name => !name.StartsWith("png", StringComparison.Ordinal)));

    [Fact]
    public void Verification_names_what_does_not_decode_and_runs_that_skip_leave_just_that_out()
    {
        using var folder = PictureFolder.Small();
        var before = Hash(folder, OnTrouble.Skip);
        folder.Write("train/cat/aa.jpg", Jpeg[..(Jpeg.Length / 2)]);
        folder.Write("val/dog/0.jpg", "no picture"u8.ToArray());
        var (set, faults) = Verify(folder);

        Assert.Equal(2, faults.Count);
        Assert.StartsWith(folder.File("train/cat/aa.jpg") + ": ", faults[0], StringComparison.Ordinal);
        Assert.StartsWith(folder.File("val/dog/0.jpg") + ": ", faults[1], StringComparison.Ordinal);
        Assert.Equal(2, set.UndecodableCount);
        Assert.StartsWith(folder.File("train/cat/aa.jpg") + ": cannot be decoded, nor can 1 more", folder.Refusal(), StringComparison.Ordinal);

        using var data = folder.Open(onError: OnTrouble.Skip);
        Assert.Equal((5, 2), (data.Train.Count, data.Test.Count));
        Assert.Equal([0, 0, 0, 1, 1], Enumerable.Range(0, 5).Select(data.Train.Label));
        for (var i = 0; i < data.Train.Count; i++)
            data.Train.Read(i, new SampleDraw(1, i), new float[data.Input.Elements]);

        // Left out, but told: whoever has another list of them is in another run.
        Assert.Equal(9, data.Manifest.Entries.Count);
        Assert.Equal("undecodable", data.Manifest.Entries[1].Sha256);
        Assert.Equal(set.ManifestHash(OnTrouble.Skip), data.Manifest.Hash);
        Assert.NotEqual(set.ManifestHash(OnTrouble.Stop), data.Manifest.Hash);
        Assert.NotEqual(before, data.Manifest.Hash);
    }

    [Fact]
    public void A_picture_that_is_damaged_below_what_any_one_crop_needs_is_found()
    {
        using var folder = PictureFolder.Small();
        // Its last bytes before the end marker: the last rows.
        folder.Write("train/cat/aa.jpg", [.. Jpeg[..^40], 0xFF, 0xD9]);
        Assert.Single(Verify(folder).Faults);
    }

    [Fact]
    public void What_was_verified_is_not_silently_listed_again()
    {
        using var folder = PictureFolder.Small();
        Verify(folder);
        folder.Open().Dispose();
        folder.Add("train/dog/3.jpg");
        Assert.Equal($"{folder.Path}: train/dog has changed since the data set was verified; look again: addernet data verify {folder.Path}", folder.Refusal());
        Verify(folder);
        using var data = folder.Open();
        Assert.Equal(6, data.Train.Count);
    }

    [Fact]
    public void A_file_that_cannot_be_read_is_no_picture_that_cannot_be_decoded()
    {
        using var folder = PictureFolder.Small();
        Verify(folder);
        var index = File.ReadAllBytes(folder.IndexFile);
        var removed = false;
        var failure = Assert.Throws<DataException>(() => PictureDataSet.Verify(folder.Path, 1, (_, _) =>
        {
            // Found when it was listed, gone when it is to be decoded.
            if (!removed)
                File.Delete(folder.File("val/dog/9.jpg"));
            removed = true;
        }, CancellationToken.None));
        Assert.Contains("val/dog/9.jpg: cannot be read", failure.Message, StringComparison.Ordinal);
        Assert.Equal(index, File.ReadAllBytes(folder.IndexFile));
    }

    [Fact]
    public void Shards_hold_the_same_samples_in_the_same_order()
    {
        using var folder = PictureFolder.Small();
        folder.Add("train/cat/with.point%.jpg", "train/cat/" + new string('x', 150) + "é.jpg");
        using var shards = new PictureFolder();
        var set = PictureDataSet.Shard(folder.Path, shards.File("tar"), 3000, null, CancellationToken.None);
        Assert.Equal((DataFormat.Tar, 2, 7, 2), (set.Format, set.Classes, set.TrainCount, set.ValidationCount));
        Assert.True(Directory.GetFiles(shards.File("tar"), "train-*.tar").Length > 1);

        using var source = folder.Open();
        using var copy = DataSource.Open(PictureFolder.Options(DataFormat.Tar), shards.File("tar"));
        Assert.Equal(source.ClassNames, copy.ClassNames);
        Assert.Equal(
            source.Manifest.Entries.Select(e => (e.Name.Replace("with.point%", "with%2Epoint%25", StringComparison.Ordinal), e.Bytes, e.Label)),
            copy.Manifest.Entries.Select(e => (e.Name, e.Bytes, e.Label)));
        var (one, other) = (new float[source.Input.Elements], new float[source.Input.Elements]);
        for (var i = 0; i < source.Train.Count; i++)
        {
            source.Train.Read(i, new SampleDraw(3, 1), one);
            copy.Train.Read(i, new SampleDraw(3, 1), other);
            Assert.Equal(one, other);
        }

        FolderTests.Shell($"tar tf {shards.File("tar/val-000000.tar")} | grep -qx cat/3.cls");
    }

    [Fact]
    public void Interrupted_anywhere_sharding_goes_on_and_leaves_the_same_bytes()
    {
        using var folder = PictureFolder.Small();
        using var shards = new PictureFolder();
        PictureDataSet.Shard(folder.Path, shards.File("whole"), 3000, null, CancellationToken.None);
        var whole = Content(shards.File("whole"));
        Assert.True(whole.Count > 4);

        for (var stopAfter = 1; stopAfter < 8; stopAfter++)
        {
            var destination = shards.File($"part{stopAfter}");
            using var stop = new CancellationTokenSource();
            var seen = 0;
            Assert.Throws<OperationCanceledException>(() => PictureDataSet.Shard(folder.Path, destination, 3000, (_, _) =>
            {
                if (++seen == stopAfter)
                    stop.Cancel();
            }, stop.Token));
            // As a kill would leave it.
            File.WriteAllText(Path.Combine(destination, ".train-000001.tar.99999.tmp"), "half");
            PictureDataSet.Shard(folder.Path, destination, 3000, null, CancellationToken.None);
            var content = Content(destination);
            content.Remove(".train-000001.tar.99999.tmp");
            Assert.Equal(whole, content);
        }
    }

    [Fact]
    public void Shards_of_another_data_set_or_size_are_not_mixed()
    {
        using var folder = PictureFolder.Small();
        using var shards = new PictureFolder();
        PictureDataSet.Shard(folder.Path, shards.File("tar"), 3000, null, CancellationToken.None);
        Refused(shards.File("tar"), 4000, "holds shards of another data set or of another size");
        folder.Add("train/dog/3.jpg");
        Refused(shards.File("tar"), 3000, "holds shards of another data set or of another size");
        shards.Write("other/file", "mine");
        Refused(shards.File("other"), 3000, "is not empty");
        shards.Write("file", "mine");
        Refused(shards.File("file"), 3000, "shards cannot be written");

        void Refused(string destination, long bytes, string expected) =>
            Assert.Contains(expected, Assert.Throws<DataException>(() => PictureDataSet.Shard(folder.Path, destination, bytes, null, CancellationToken.None)).Message, StringComparison.Ordinal);
    }

    private static (PictureDataSet Set, IReadOnlyList<string> Faults) Verify(PictureFolder folder) => PictureDataSet.Verify(folder.Path, 2, null, CancellationToken.None);

    private static string Hash(PictureFolder folder, OnTrouble onError)
    {
        using var data = folder.Open(onError: onError);
        return data.Manifest.Hash;
    }

    private static SortedDictionary<string, string> Content(string directory) => new(
        Directory.GetFiles(directory).Where(file => Path.GetFileName(file) != ".addernet-index").ToDictionary(file => Path.GetFileName(file), file => Convert.ToHexString(File.ReadAllBytes(file))), StringComparer.Ordinal);
}
