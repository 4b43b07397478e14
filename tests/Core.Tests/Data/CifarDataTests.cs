using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using Xunit;

namespace AdderNet.Core.Tests.Data;

public sealed class CifarDataTests : IDisposable
{
    private const int Pixels = 32 * 32;
    private static readonly DataOptions Options = new() { Format = DataFormat.Cifar, Augment = Augmentation.CropFlip };
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void CIFAR_10_is_read_from_its_six_batches_plane_by_plane()
    {
        WriteCifar10();
        var data = DataSource.Open(Options, directory.Path);
        Assert.Equal((new InputShape(32, 32, 3), 5, 1, 6), (data.Input, data.Train.Count, data.Test.Count, data.Classes));
        Assert.Equal([1, 2, 3, 4, 5], Enumerable.Range(0, 5).Select(data.Train.Label));
        var image = new float[data.Input.Elements];
        data.Train.Read(1, null, image);
        Assert.Equal(((Red(2, 33) / 255f) - 0.4914f) / 0.2023f, image[33 * 3]);
        Assert.Equal(((Green(2, 33) / 255f) - 0.4822f) / 0.1994f, image[(33 * 3) + 1]);
        Assert.Equal(((Blue(2, 33) / 255f) - 0.4465f) / 0.2010f, image[(33 * 3) + 2]);
        Assert.Equal(6, data.Manifest.Entries.Count);
    }

    [Fact]
    public void CIFAR_100_is_read_with_its_fine_labels_from_the_folder_of_its_archive()
    {
        directory.Write("cifar-100-binary/train.bin", [3, 77, .. Image(1), 4, 99, .. Image(2)]);
        directory.Write("cifar-100-binary/test.bin", [3, 5, .. Image(3)]);
        var data = DataSource.Open(Options, directory.Path);
        Assert.Equal([77, 99], [data.Train.Label(0), data.Train.Label(1)]);
        Assert.Equal(100, data.Classes);
        var image = new float[data.Input.Elements];
        data.Test.Read(0, new SampleDraw(1, 1), image);
        Assert.Equal(((Red(3, 0) / 255f) - 0.5071f) / 0.2675f, image[0]);
    }

    [Theory] // Draws (down, right, mirror) from an independent program for seed 1, epoch 0.
    [InlineData(0, -1, 2, false)]
    [InlineData(1, 0, 3, true)]
    [InlineData(2, -4, 0, false)]
    [InlineData(3, -4, 2, false)]
    public void Crop_and_mirror_move_the_image_as_drawn_and_pad_with_black(int index, int down, int right, bool mirror)
    {
        WriteCifar10();
        var data = DataSource.Open(Options, directory.Path);
        var image = new float[data.Input.Elements];
        data.Train.Read(index, new SampleDraw(1, 0), image);
        for (var y = 0; y < 32; y++)
        {
            for (var x = 0; x < 32; x++)
            {
                var (fromY, fromX) = (y + down, (mirror ? 31 - x : x) + right);
                var inside = fromY is >= 0 and < 32 && fromX is >= 0 and < 32;
                var green = inside ? Green(index + 1, (fromY * 32) + fromX) : 0;
                Assert.Equal(((green / 255f) - 0.4822f) / 0.1994f, image[(((y * 32) + x) * 3) + 1]);
            }
        }
    }

    [Fact]
    public void Augmentation_depends_on_seed_epoch_and_sample_and_leaves_test_images_alone()
    {
        WriteCifar10();
        var data = DataSource.Open(Options, directory.Path);
        float[] Read(ISampleSet set, int index, SampleDraw? draw)
        {
            var image = new float[data.Input.Elements];
            set.Read(index, draw, image);
            return image;
        }

        Assert.Equal(Read(data.Train, 3, new SampleDraw(1, 2)), Read(data.Train, 3, new SampleDraw(1, 2)));
        Assert.NotEqual(Read(data.Train, 3, new SampleDraw(1, 2)), Read(data.Train, 3, new SampleDraw(1, 3)));
        Assert.NotEqual(Read(data.Train, 3, new SampleDraw(1, 2)), Read(data.Train, 3, new SampleDraw(2, 2)));
        Assert.Equal(Read(data.Test, 0, null), Read(data.Test, 0, new SampleDraw(1, 0)));
        var plain = DataSource.Open(Options with { Augment = Augmentation.None }, directory.Path);
        Assert.Equal(Read(plain.Train, 3, null), Read(plain.Train, 3, new SampleDraw(1, 2)));
    }

    [Fact]
    public void Damaged_and_missing_batches_are_refused()
    {
        Refused("holds neither CIFAR-10 (data_batch_1.bin ... test_batch.bin) nor CIFAR-100");
        WriteCifar10();
        directory.Write("data_batch_3.bin", [3, .. Image(3)[1..]]);
        Refused("data_batch_3.bin: has 3072 bytes, not a multiple of 3073");
        directory.Write("data_batch_3.bin", []);
        Refused("data_batch_3.bin: has 0 bytes, not a multiple of 3073");
        directory.Write("data_batch_3.bin", [3, .. Image(3), 10, .. Image(4)]);
        Refused("data_batch_3.bin: record 1 has label 10; labels go from 0 to 9");
        File.Delete(directory.File("data_batch_3.bin"));
        Refused("data_batch_3.bin: no such file");
    }

    private static byte Red(int image, int pixel) => (byte)((pixel * 3) + image);

    private static byte Green(int image, int pixel) => (byte)((pixel * 7) + (5 * image) + 1);

    private static byte Blue(int image, int pixel) => (byte)(pixel ^ image);

    private static byte[] Image(int image) =>
    [
        .. Enumerable.Range(0, Pixels).Select(pixel => Red(image, pixel)), .. Enumerable.Range(0, Pixels).Select(pixel => Green(image, pixel)),
        .. Enumerable.Range(0, Pixels).Select(pixel => Blue(image, pixel)),
    ];

    private void WriteCifar10()
    {
        for (byte i = 1; i <= 5; i++)
            directory.Write($"data_batch_{i}.bin", [i, .. Image(i)]);
        directory.Write("test_batch.bin", [0, .. Image(9)]);
    }

    private void Refused(string reason)
    {
        var error = Assert.Throws<DataException>(() => DataSource.Open(Options, directory.Path));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }
}
