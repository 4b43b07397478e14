using System.Buffers.Binary;
using System.Security.Cryptography;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Data.Indexes;
using FsCheck;
using FsCheck.Fluent;
using Xunit;
using Xunit.Abstractions;

namespace AdderNet.Core.Tests.Data.Indexes;

public sealed class IndexFileTests(ITestOutputHelper log)
{
    private const int Checksum = 32;

    [Fact]
    public void An_index_gives_back_what_was_put_in()
    {
        var names = new HashSet<string>();
        Prop.ForAll(ArbMap.Default.ArbFor<(NonEmptyString Name, bool Train, byte Label, int Bytes, uint Offset)[]>(), drawn =>
        {
            names.Clear();
            var samples = drawn
                .Select(d => (Name: (d.Train ? "train/" : "val/") + string.Concat(d.Name.Get.Where(c => !char.IsControl(c) && !char.IsSurrogate(c))), Label: d.Label % 3, Bytes: (long)Math.Abs(d.Bytes % 1000), Offset: (long)d.Offset))
                .Where(s => names.Add(s.Name)).ToList();
            var builder = new SampleIndexBuilder("here", isTar: true);
            foreach (var name in new[] { "a", "b", "c" })
                builder.AddClass(name);
            builder.AddContainer(new IndexContainer("train.tar", 5, long.MaxValue));
            foreach (var s in samples)
                builder.Add(s.Name, s.Label, s.Bytes, 0, s.Offset);
            var index = SampleIndex.Parse(builder.Build().File.ToArray(), "there");

            var expected = samples.OrderBy(s => Convert.ToHexString(System.Text.Encoding.UTF8.GetBytes(s.Name)), StringComparer.Ordinal).ToList();
            Assert.Equal(expected.Select(s => s.Name), Enumerable.Range(0, index.Count).Select(index.Name));
            Assert.Equal(expected.Select(s => s.Label), Enumerable.Range(0, index.Count).Select(index.Label));
            Assert.Equal(expected.Select(s => s.Bytes), Enumerable.Range(0, index.Count).Select(index.Bytes));
            Assert.Equal(expected.Select(s => (0, s.Offset)), Enumerable.Range(0, index.Count).Select(index.Place));
            Assert.Equal(expected.Count(s => s.Name.StartsWith("train/", StringComparison.Ordinal)), index.TrainCount);
            Assert.Equal(["a", "b", "c"], index.ClassNames);
            Assert.Equal(new IndexContainer("train.tar", 5, long.MaxValue), Assert.Single(index.Containers));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(50));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Any_altered_or_missing_byte_is_found(bool isTar)
    {
        var file = Build(isTar).File.ToArray();
        for (var at = 0; at < file.Length; at++)
        {
            var altered = (byte[])file.Clone();
            altered[at] ^= 0x10;
            Refused(altered);
        }

        for (var length = 0; length < file.Length; length++)
            Refused(file[..length]);
        Refused([.. file, 0]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Even_with_a_right_checksum_nothing_out_of_range_is_believed(bool isTar)
    {
        var file = Build(isTar).File.ToArray();
        var refused = 0;
        foreach (var value in new byte[] { 0x00, 0x01, 0x7F, 0x80, 0xFF })
        {
            for (var at = 0; at < file.Length - Checksum; at++)
            {
                var altered = (byte[])file.Clone();
                altered[at] = value;
                SHA256.HashData(altered.AsSpan(0, file.Length - Checksum), altered.AsSpan(file.Length - Checksum));
                try
                {
                    Walk(SampleIndex.Parse(altered, "file"));
                }
                catch (DataException e)
                {
                    refused++;
                    Assert.StartsWith("file: is ", e.Message, StringComparison.Ordinal);
                }
            }
        }

        Assert.InRange(refused, 200, 5 * file.Length);
    }

    [Fact]
    public void Lengths_that_would_overflow_are_refused()
    {
        var file = Build(isTar: false).File.ToArray();
        foreach (var (at, size) in new[] { (28, 4), (32, 4), (36, 4), (48, 8) })
        {
            var altered = (byte[])file.Clone();
            altered.AsSpan(at, size).Fill(0xFF);
            SHA256.HashData(altered.AsSpan(0, file.Length - Checksum), altered.AsSpan(file.Length - Checksum));
            Assert.Equal("file: is damaged: its tables would be longer than the file", Assert.Throws<DataException>(() => SampleIndex.Parse(altered, "file")).Message);
        }
    }

    [Fact]
    public void A_damaged_index_and_one_of_another_version_say_how_to_make_a_new_one()
    {
        using var folder = PictureFolder.Small();
        folder.Open().Dispose();
        var file = File.ReadAllBytes(folder.IndexFile);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(16), 2);
        File.WriteAllBytes(folder.IndexFile, file);
        Assert.Equal($"{folder.IndexFile}: is a sample index of version 2; this program reads version 1; make it anew: addernet data index {folder.Path}", folder.Refusal());

        File.WriteAllBytes(folder.IndexFile, file[..100]);
        Assert.EndsWith($"; make it anew: addernet data index {folder.Path}", folder.Refusal(), StringComparison.Ordinal);
        PictureDataSet.Index(folder.Path, null, CancellationToken.None);
        folder.Open().Dispose();
    }

    [Fact]
    public void ImageNets_index_is_read_within_500_megabytes()
    {
        const int Samples = 1_281_167;
        const int Classes = 1000;
        using var directory = new TemporaryDirectory();
        var path = directory.File("index");
        var built = BuildLarge(Samples, Classes).File;
        File.WriteAllBytes(path, built.Span);
        built = default;

        var before = GC.GetAllocatedBytesForCurrentThread();
        var index = SampleIndex.Parse(File.ReadAllBytes(path), path);
        var manifest = new DataManifest(DataFormat.Folder, new IndexedManifest(index, skipUndecodable: true));
        var megabytes = (GC.GetAllocatedBytesForCurrentThread() - before) / 1e6;

        log.WriteLine($"{new FileInfo(path).Length / 1e6:0.0} MB on disk, {megabytes:0.0} MB allocated");
        Assert.Equal(Samples, index.Count);
        Assert.Equal("train/n00000999/n00000999_999.JPEG", index.Name(Samples - 1));
        Assert.Equal(64, manifest.Hash.Length);
        Assert.InRange(megabytes, 50, 500);
    }

    private static SampleIndex BuildLarge(int samples, int classes)
    {
        var builder = new SampleIndexBuilder("generated", isTar: false);
        for (var c = 0; c < classes; c++)
        {
            builder.AddClass($"n{c:00000000}");
            builder.AddContainer(new IndexContainer($"train/n{c:00000000}", 1, 0));
        }

        for (var i = 0; i < samples; i++)
        {
            var c = Math.Min(i / 1280, classes - 1);
            builder.Add($"train/n{c:00000000}/n{c:00000000}_{i - (1280 * c)}.JPEG", c, 100_000 + i);
        }

        return builder.Build();
    }

    private static SampleIndex Build(bool isTar)
    {
        var builder = new SampleIndexBuilder("here", isTar);
        builder.AddClass("cat");
        builder.AddClass("dog");
        builder.AddContainer(new IndexContainer("train", 1, 100));
        builder.AddContainer(new IndexContainer("val", 2, 200));
        builder.Add("train/cat/1.jpg", 0, 10, 0, 5);
        builder.Add("train/dog/é.jpg", 1, 20, 0, 80);
        builder.Add("val/dog/1.jpg", 1, 0, 1, 200);
        return builder.Build();
    }

    private static void Walk(SampleIndex index)
    {
        Assert.Equal(index.IsTar, index.IsTar);
        for (var i = 0; i < index.Count; i++)
        {
            Assert.InRange(index.Label(i), 0, index.ClassNames.Count - 1);
            Assert.NotEmpty(index.Name(i));
            Assert.InRange(index.Bytes(i), 0, long.MaxValue);
            if (index.IsTar)
                Assert.InRange(index.Place(i).Offset + index.Bytes(i), 0, index.Containers[index.Place(i).Shard].Bytes);
        }
    }

    private static void Refused(byte[] file)
    {
        var message = Assert.Throws<DataException>(() => SampleIndex.Parse(file, "file")).Message;
        Assert.StartsWith("file: is ", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }
}
