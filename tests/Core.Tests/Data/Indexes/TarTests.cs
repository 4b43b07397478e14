using System.Formats.Tar;
using System.Text;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Tests.Data.Images;
using Xunit;

namespace AdderNet.Core.Tests.Data.Indexes;

public sealed class TarTests
{
    private static readonly byte[] Picture = GoldenPictures.Encoded(GoldenPictures.Names.First());
    private static readonly byte[] Other = GoldenPictures.Encoded(GoldenPictures.Names.Skip(1).First());

    [Fact]
    public void Shards_in_WebDataset_naming_are_read_at_random()
    {
        using var folder = new PictureFolder();
        folder.Write("train-000001.tar", Tar(("c/3.jpg", Picture), ("c/3.cls", "1"u8.ToArray()), ("ignored.txt", "x"u8.ToArray())));
        folder.Write("train-000000.tar", Tar(("b.cls", "2"u8.ToArray()), ("b.other.png", []), ("b.jpeg", Other), ("a.json", "{\"label\": 0, \"width\": 5}"u8.ToArray()), ("a.JPG", Picture)));
        folder.Write("val-000000.tar", Tar(("./9.jpg", Picture), ("./9.cls", " 1\n"u8.ToArray())));
        using var data = folder.Open(DataFormat.Tar);

        Assert.Equal(["train/a.JPG", "train/b.jpeg", "train/c/3.jpg", "val/9.jpg"], data.Manifest.Entries.Select(entry => entry.Name));
        Assert.Equal([0, 2, 1], Enumerable.Range(0, 3).Select(data.Train.Label));
        Assert.Equal(1, data.Test.Label(0));
        Assert.Equal(["0", "1", "2"], data.ClassNames);
        var (first, second, third) = (new float[data.Input.Elements], new float[data.Input.Elements], new float[data.Input.Elements]);
        data.Train.Read(2, null, first);
        data.Train.Read(1, null, second);
        data.Train.Read(0, null, third);
        Assert.Equal(first, third);
        Assert.NotEqual(first, second);
    }

    [Theory]
    [InlineData("--format=gnu")]
    [InlineData("--format=posix")]
    [InlineData("--format=ustar")]
    [InlineData("--format=v7")]
    public void Shards_that_tar_made_are_read(string format)
    {
        using var pictures = PictureFolder.Small();
        using var folder = new PictureFolder();
        pictures.Write("train/cat/a.cls", "0");
        Directory.CreateDirectory(folder.File("train"));
        FolderTests.Shell($"tar {format} -cf {folder.File("train/any.tar")} -C {pictures.File("train/cat")} a.JPEG a.cls");
        using var data = folder.Open(DataFormat.Tar);
        Assert.Equal("train/a.JPEG", Assert.Single(data.Manifest.Entries).Name);
        data.Train.Read(0, null, new float[data.Input.Elements]);
    }

    [Fact]
    public void A_shard_cut_short_anywhere_is_named()
    {
        using var folder = new PictureFolder();
        var whole = Tar(("a.jpg", new byte[700]), ("a.cls", "0"u8.ToArray()), ("b.jpg", new byte[5]), ("b.cls", "1"u8.ToArray()));
        var members = whole.Length - 1024;
        for (var length = 0; length < members + 512; length += length % 512 == 0 ? 1 : 511)
        {
            folder.Write("train-0.tar", whole[..length]);
            var message = folder.Refusal(DataFormat.Tar);
            Assert.True(message.StartsWith(folder.File("train-0.tar") + ":", StringComparison.Ordinal), $"{length}: {message}");
        }

        folder.Write("train-0.tar", whole);
        folder.Open(DataFormat.Tar).Dispose();
    }

    [Fact]
    public void Any_altered_header_is_one_line_or_harmless()
    {
        using var folder = new PictureFolder();
        var whole = Tar(("a.jpg", new byte[10]), ("a.cls", "0"u8.ToArray()));
        foreach (var at in Enumerable.Range(0, 512).Concat(Enumerable.Range(1024, 512)))
        {
            foreach (var value in new byte[] { 0, 0x37, 0xFF })
            {
                var bytes = (byte[])whole.Clone();
                bytes[at] = value;
                folder.Write("train-0.tar", bytes);
                try
                {
                    folder.Open(DataFormat.Tar).Dispose();
                }
                catch (DataException e)
                {
                    Assert.DoesNotContain('\n', e.Message);
                    Assert.Contains("train-0.tar", e.Message, StringComparison.Ordinal);
                }
            }
        }
    }

    public static TheoryData<string, string, string> Labels => new()
    {
        { "a.cls", "-1", "has label '-1' in .cls; labels are whole numbers from 0 to 99999" },
        { "a.cls", "100000", "has label '100000' in .cls" },
        { "a.cls", "99999999999999999999", "has label '99999999999999999999' in .cls" },
        { "a.cls", "cat", "has label 'cat' in .cls" },
        { "a.cls", "", "has label '' in .cls" },
        { "a.json", "{\"label\": 1.5}", "has label '1.5' in .json" },
        { "a.json", "{\"label\": ", "has a .json file that is no JSON" },
        { "a.json", "[]", "has no label" },
        { "a.txt", "0", "has no label" },
    };

    [Theory]
    [MemberData(nameof(Labels))]
    public void A_label_out_of_range_or_missing_names_shard_and_sample(string name, string content, string expected)
    {
        using var folder = new PictureFolder();
        folder.Write("train-0.tar", Tar(("a.jpg", Picture), (name, Encoding.UTF8.GetBytes(content))));
        Assert.StartsWith($"{folder.File("train-0.tar")}: sample a {expected}", folder.Refusal(DataFormat.Tar), StringComparison.Ordinal);
    }

    [Fact]
    public void Labels_beyond_the_named_classes_and_samples_without_a_picture_are_refused()
    {
        using var folder = new PictureFolder();
        folder.Write("train-0.tar", Tar(("a.jpg", Picture), ("a.cls", "2"u8.ToArray())));
        folder.Write("classes.txt", "cat\ndog\n");
        Assert.Contains("sample a has label 2, but classes.txt names 2 classes", folder.Refusal(DataFormat.Tar), StringComparison.Ordinal);
        folder.Write("classes.txt", "cat\ndog\neel\n");
        using (var data = folder.Open(DataFormat.Tar))
            Assert.Equal("eel", data.ClassNames[2]);

        folder.Write("train-0.tar", Tar(("a.cls", "2"u8.ToArray())));
        Assert.Contains("sample a has a label but no picture", folder.Refusal(DataFormat.Tar), StringComparison.Ordinal);
        folder.Write("train-0.tar", Tar(("a.jpg", Picture), ("a.png", Picture), ("a.cls", "2"u8.ToArray())));
        Assert.Contains("sample a has two pictures", folder.Refusal(DataFormat.Tar), StringComparison.Ordinal);
        folder.Write("train-0.tar", Tar(("a.jpg", Picture), ("a.cls", "2"u8.ToArray()), ("b.txt", []), ("a.jpg", Picture), ("a.cls", "2"u8.ToArray())));
        Assert.Contains("two samples are called train/a.jpg", folder.Refusal(DataFormat.Tar), StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_without_shards_and_a_member_name_that_is_not_utf8_are_refused()
    {
        using var folder = new PictureFolder();
        Assert.Contains("has no training shards", folder.Refusal(DataFormat.Tar), StringComparison.Ordinal);
        var bytes = Tar(("a.jpg", Picture), ("a.cls", "0"u8.ToArray()));
        // The name's byte and the checksum, which counts it.
        bytes[0] = 0xE9;
        Encoding.ASCII.GetBytes(Convert.ToString(Enumerable.Range(0, 512).Sum(i => i is >= 148 and < 156 ? ' ' : bytes[i]), 8).PadLeft(6, '0')).CopyTo(bytes, 148);
        folder.Write("train-0.tar", bytes);
        Assert.Contains("is not UTF-8", folder.Refusal(DataFormat.Tar), StringComparison.Ordinal);
    }

    [Fact]
    public void A_new_shard_renews_the_index()
    {
        using var folder = new PictureFolder();
        folder.Write("train-0.tar", Tar(("a.jpg", Picture), ("a.cls", "0"u8.ToArray())));
        using (var data = folder.Open(DataFormat.Tar))
            Assert.Equal(1, data.Train.Count);
        folder.Write("train-1.tar", Tar(("b.jpg", Picture), ("b.cls", "0"u8.ToArray())));
        using var more = folder.Open(DataFormat.Tar);
        Assert.Equal(2, more.Train.Count);
    }

    private static byte[] Tar(params (string Name, byte[] Content)[] members)
    {
        using var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach (var (name, content) in members)
                tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) });
        }

        return stream.ToArray();
    }
}
