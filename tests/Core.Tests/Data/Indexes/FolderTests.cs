using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Data.Images;
using Xunit;

namespace AdderNet.Core.Tests.Data.Indexes;

public sealed class FolderTests
{
    [Fact]
    public void Classes_are_numbered_by_name_and_samples_stand_in_the_order_of_their_names()
    {
        using var folder = PictureFolder.Small();
        folder.Write("train/cat/notes.txt", "not a picture");
        using var data = folder.Open();

        Assert.Equal(["cat", "dog"], data.ClassNames);
        Assert.Equal(2, data.Classes);
        Assert.Equal(
            ["train/cat/a.JPEG", "train/cat/b.jpg", "train/cat/deep/c.jpg", "train/dog/1.jpg", "train/dog/2.png", "val/cat/3.jpg", "val/dog/9.jpg"],
            data.Manifest.Entries.Select(entry => entry.Name));
        Assert.Equal([0, 0, 0, 1, 1], Enumerable.Range(0, data.Train.Count).Select(data.Train.Label));
        Assert.Equal([0, 1], Enumerable.Range(0, data.Test.Count).Select(data.Test.Label));
        Assert.Equal(new InputShape(16, 16, 3), data.Input);
    }

    [Fact]
    public void Any_sample_is_what_the_pipeline_makes_of_its_file()
    {
        using var folder = PictureFolder.Small();
        using var data = DataSource.Open(PictureFolder.Options() with { Augment = Augmentation.ImageNet }, folder.Path);
        using var pipeline = new PhotographPipeline(16, Augmentation.ImageNet);
        var (got, expected) = (new float[data.Input.Elements], new float[data.Input.Elements]);
        foreach (var index in new[] { 4, 0, 3, 1, 2 })
        {
            var encoded = File.ReadAllBytes(folder.File(data.Manifest.Entries[index].Name));
            data.Train.Read(index, new SampleDraw(7, 2), got);
            pipeline.RenderTraining(encoded, "", 7, 2, index, expected);
            Assert.Equal(expected, got);
            data.Train.Read(index, null, got);
            pipeline.RenderEvaluation(encoded, "", expected);
            Assert.Equal(expected, got);
        }
    }

    [Fact]
    public void The_manifest_is_the_documented_hash_of_names_sizes_and_labels_and_of_nothing_else()
    {
        using var folder = PictureFolder.Small();
        using var elsewhere = PictureFolder.Small();
        Directory.SetLastWriteTimeUtc(elsewhere.File("train/cat"), new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        File.SetLastWriteTimeUtc(elsewhere.File("train/cat/b.jpg"), new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        using var data = folder.Open();
        using var copy = elsewhere.Open();

        var text = "addernet data manifest 1\nfolder\n" + string.Concat(data.Manifest.Entries.Select(entry =>
            $"{entry.Name}\0{new FileInfo(folder.File(entry.Name)).Length}\0{(entry.Name.Contains("/cat/", StringComparison.Ordinal) ? 0 : 1)}\0-\n"));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))), data.Manifest.Hash);
        Assert.Equal(data.Manifest.Hash, copy.Manifest.Hash);

        File.Move(elsewhere.File("train/cat/b.jpg"), elsewhere.File("train/dog/b.jpg"));
        using var moved = elsewhere.Open();
        Assert.NotEqual(data.Manifest.Hash, moved.Manifest.Hash);
    }

    [Fact]
    public void The_index_is_made_once_and_again_only_when_a_folder_has_changed()
    {
        using var folder = PictureFolder.Small();
        folder.Open().Dispose();
        var made = File.ReadAllBytes(folder.IndexFile);
        File.SetLastWriteTimeUtc(folder.IndexFile, new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        folder.Open().Dispose();
        Assert.Equal(2001, File.GetLastWriteTimeUtc(folder.IndexFile).Year);

        folder.Add("train/dog/3.jpg");
        using var data = folder.Open();
        Assert.Equal(6, data.Train.Count);
        Assert.NotEqual(made, File.ReadAllBytes(folder.IndexFile));

        folder.Add("train/cat/deep/deeper/x.jpg");
        using var deeper = folder.Open();
        Assert.Equal(7, deeper.Train.Count);
    }

    [Fact]
    public void A_file_that_changed_its_length_is_named_when_it_is_read()
    {
        using var folder = PictureFolder.Small();
        using var data = folder.Open();
        using (var file = new FileStream(folder.File("train/dog/1.jpg"), FileMode.Append))
            file.WriteByte(0);

        var message = Assert.Throws<DataException>(() => data.Train.Read(3, null, new float[data.Input.Elements])).Message;
        Assert.StartsWith(folder.File("train/dog/1.jpg") + ": has ", message, StringComparison.Ordinal);
        Assert.Contains($"addernet data index {folder.Path}", message, StringComparison.Ordinal);

        File.Delete(folder.File("train/dog/1.jpg"));
        Assert.StartsWith(folder.File("train/dog/1.jpg") + ": cannot be read: ", Assert.Throws<DataException>(() => data.Train.Read(3, null, new float[data.Input.Elements])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Links_to_pictures_and_to_class_folders_are_followed()
    {
        using var store = PictureFolder.Small();
        using var folder = new PictureFolder();
        folder.Link("train/cat", store.File("train/cat"));
        folder.Link("train/dog/1.jpg", store.File("train/dog/1.jpg"));
        using var data = folder.Open();
        Assert.Equal(4, data.Train.Count);
        Assert.Equal(new FileInfo(store.File("train/dog/1.jpg")).Length, data.Manifest.Entries[3].Bytes);
        data.Train.Read(0, null, new float[data.Input.Elements]);

        store.Add("train/cat/d.jpg");
        using var more = folder.Open();
        Assert.Equal(5, more.Train.Count);
    }

    [Fact]
    public void Without_validation_pictures_there_are_none()
    {
        using var folder = new PictureFolder();
        folder.Add("train/cat/1.jpg");
        using var data = folder.Open();
        Assert.Equal(0, data.Test.Count);
        folder.Add("val/cat/1.jpg");
        using var more = folder.Open();
        Assert.Equal(1, more.Test.Count);
    }

    public static TheoryData<string, string, string[]> Hostile => new()
    {
        { "no folder train", "has no folder train", ["val/cat/1.jpg"] },
        { "train without classes", "has no class folder", ["train/1.jpg"] },
        { "an unknown class", "there is no class train/dog", ["train/cat/1.jpg", "val/dog/1.jpg"] },
        { "flat validation without ground truth", "ILSVRC2012_validation_ground_truth.txt", ["train/cat/1.jpg", "val/1.jpg"] },
        { "a control character", "control characters", ["train/cat/a\nb.jpg"] },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public void A_wrong_layout_is_one_line(string what, string expected, string[] pictures)
    {
        using var folder = new PictureFolder();
        folder.Add(pictures);
        var message = folder.Refusal();
        Assert.True(message.Contains(expected, StringComparison.Ordinal) && message.Contains(folder.Path, StringComparison.Ordinal), $"{what}: {message}");
    }

    [Fact]
    public void An_empty_class_is_named()
    {
        using var folder = PictureFolder.Small();
        folder.Write("train/eel/notes.txt", "");
        Assert.StartsWith(folder.File("train/eel") + ": the class is empty", folder.Refusal(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("../..")]
    [InlineData("../../..")]
    public void A_link_back_to_where_it_lies_is_named(string target)
    {
        using var folder = PictureFolder.Small();
        folder.Link("train/dog/more", target);
        var message = folder.Refusal();
        Assert.Contains("/more: a symbolic link back", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Links_to_nothing_and_to_themselves_are_named()
    {
        using var folder = PictureFolder.Small();
        folder.Link("train/dog/gone.jpg", "/no/where");
        Assert.StartsWith(folder.File("train/dog/gone.jpg") + ": a symbolic link to /no/where, which is not there", folder.Refusal(), StringComparison.Ordinal);
        File.Delete(folder.File("train/dog/gone.jpg"));
        folder.Link("train/dog/self", "self");
        Assert.StartsWith(folder.File("train/dog/self") + ": a symbolic link", folder.Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_that_is_not_utf8_is_refused()
    {
        using var folder = PictureFolder.Small();
        Shell($"cp '{folder.File("train/dog/1.jpg")}' '{folder.File("train/dog")}/'$(printf 'caf\\351.jpg')");
        try
        {
            Assert.Contains("is not UTF-8", folder.Refusal(), StringComparison.Ordinal);
        }
        finally
        {
            // A name that this program cannot even remove.
            Shell($"rm '{folder.File("train/dog")}'/caf*");
        }
    }

    [SkippableFact]
    public void A_folder_that_may_not_be_listed_is_named()
    {
        Skip.If(Environment.IsPrivilegedProcess, "whoever may do everything can list every folder");
        using var folder = PictureFolder.Small();
        Shell($"chmod 000 '{folder.File("train/dog")}'");
        try
        {
            Assert.StartsWith(folder.File("train/dog") + ": cannot be listed", folder.Refusal(), StringComparison.Ordinal);
        }
        finally
        {
            Shell($"chmod 700 '{folder.File("train/dog")}'");
        }
    }

    [Fact]
    public void A_picture_of_no_bytes_is_refused_at_once_and_can_be_left_out()
    {
        using var folder = PictureFolder.Small();
        folder.Write("train/dog/0.jpg", []);
        Assert.StartsWith(folder.File("train/dog/0.jpg") + ": is empty (0 bytes)", folder.Refusal(), StringComparison.Ordinal);
        using var data = folder.Open(onError: OnTrouble.Skip);
        Assert.Equal(5, data.Train.Count);
        Assert.Equal([0, 0, 0, 1, 1], Enumerable.Range(0, 5).Select(data.Train.Label));
    }

    [Fact]
    public void A_pipe_among_the_pictures_is_not_waited_for()
    {
        using var folder = PictureFolder.Small();
        Shell($"mkfifo '{folder.File("train/dog/0.jpg")}'");
        Assert.Contains("train/dog/0.jpg: is empty", folder.Refusal(), StringComparison.Ordinal);
        Assert.Single(PictureDataSet.Verify(folder.Path, 2, null, CancellationToken.None).Faults);
    }

    internal static void Shell(string command)
    {
        using var shell = Process.Start("sh", ["-c", command]);
        shell.WaitForExit();
        Assert.Equal(0, shell.ExitCode);
    }
}
