using AdderNet.Core.Data;
using AdderNet.Core.Tests.Golden;
using Xunit;

namespace AdderNet.Core.Tests.Data.Indexes;

public sealed class FlatValidationTests
{
    private const string Truth = "ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt";
    private const string TextMap = "ILSVRC2012_devkit_t12/data/map_clsloc.txt";
    private const string MatlabMap = "ILSVRC2012_devkit_t12/data/meta.mat";
    private static readonly byte[] Matlab = File.ReadAllBytes(Path.Combine(Path.GetDirectoryName(GoldenFile.PathOf("math"))!, "ilsvrc2012_meta.mat"));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Labels_come_from_the_development_kit(bool matlab)
    {
        using var folder = Flat();
        if (matlab)
            folder.Write(MatlabMap, Matlab);
        else
            folder.Write(TextMap, "n02119789 1 kit_fox\nn01440764 2 tench\nn01443537 300 goldfish\n");
        using var data = folder.Open();
        // Folders in order of names: n01440764, n01443537, n02119789. Lines 1, 2, 3, 4 of the ground truth: 300, 1, 2, 2.
        Assert.Equal([1, 2, 0, 0], Enumerable.Range(0, data.Test.Count).Select(data.Test.Label));
    }

    [Fact]
    public void A_new_ground_truth_renews_the_index()
    {
        using var folder = Flat();
        folder.Write(MatlabMap, Matlab);
        folder.Open().Dispose();
        folder.Write(Truth, "2\n2\n2\n1 \n");
        using var data = folder.Open();
        Assert.Equal([0, 0, 0, 2], Enumerable.Range(0, data.Test.Count).Select(data.Test.Label));
    }

    [Theory]
    [InlineData("300\n1\n2\n", "has 3 lines, none of number 4")]
    [InlineData("300\n1\n2\n7\n", "line 4 is '7', which is no class number")]
    [InlineData("300\n1\n2\n1001\n", "there is no folder train/n00001740")]
    [InlineData("300\n\n2\n2\n", "line 2 is ''")]
    [InlineData("-1\n1\n2\n2\n", "line 1 is '-1'")]
    [InlineData("99999999999\n1\n2\n2\n", "line 1 is '99999999999'")]
    public void A_label_out_of_range_or_missing_is_one_line(string truth, string expected)
    {
        using var folder = Flat();
        folder.Write(MatlabMap, Matlab);
        folder.Write(Truth, truth);
        Assert.Contains(expected, folder.Refusal(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("n02119789 one kit_fox\n")]
    [InlineData("n02119789\n")]
    [InlineData("n02119789 1\nn01440764 1\n")]
    public void A_wrong_class_list_is_one_line(string map)
    {
        using var folder = Flat();
        folder.Write(TextMap, map);
        Assert.StartsWith(folder.File(TextMap) + ": '", folder.Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_picture_without_a_number_is_named()
    {
        using var folder = Flat();
        folder.Write(MatlabMap, Matlab);
        folder.Add("val/other.JPEG");
        Assert.StartsWith(folder.File("val/other.JPEG") + ": pictures of a flat validation folder are called", folder.Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_meta_mat_is_one_line_wherever_it_is_cut_or_altered()
    {
        using var folder = Flat();
        folder.Write(MatlabMap, Matlab);
        folder.Open().Dispose();
        for (var length = 0; length < Matlab.Length; length += 7)
        {
            folder.Write(MatlabMap, Matlab[..length]);
            Assert.Contains("meta.mat", folder.Refusal(), StringComparison.Ordinal);
        }

        for (var at = 126; at < Matlab.Length; at += 3)
        {
            var bytes = (byte[])Matlab.Clone();
            bytes[at] ^= 0x55;
            folder.Write(MatlabMap, bytes);
            try
            {
                folder.Open().Dispose();
            }
            catch (DataException e)
            {
                Assert.DoesNotContain('\n', e.Message);
            }
        }
    }

    private static PictureFolder Flat()
    {
        var folder = new PictureFolder();
        folder.Add("train/n01440764/1.JPEG", "train/n01443537/1.JPEG", "train/n02119789/1.JPEG");
        folder.Add([.. Enumerable.Range(1, 4).Select(i => $"val/ILSVRC2012_val_{i:00000000}.JPEG")]);
        folder.Write(Truth, "300\n1\n2\n2\n");
        return folder;
    }
}
