using System.Security.Cryptography;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using Xunit;

namespace AdderNet.Core.Tests.Data;

public sealed class SyntheticDataTests
{
    [Fact] // Hashes from an independent program.
    public void Synthetic_images_are_fixed_for_ever()
    {
        Assert.Equal("c66680894d6626137d838cf414ce246f303e0e5ec30e84efe7ed420849456ccd", Hash(new SyntheticImages(28, test: false), 3));
        Assert.Equal("c79e995235e4e4c0f9d0454942a7e157aa360d583a2e03672502cf1d655f264d", Hash(new SyntheticImages(32, test: true), 7));
    }

    [Theory]
    [InlineData(28, 1)]
    [InlineData(32, 3)]
    [InlineData(224, 3)]
    public void Synthetic_data_has_the_documented_sizes(int side, int channels)
    {
        var data = Open(side);
        Assert.Equal((4096, 1024, 10, new InputShape(side, side, channels)), (data.Train.Count, data.Test.Count, data.Classes, data.Input));
    }

    [Fact]
    public void A_nearest_mean_learns_the_classes_so_a_network_can()
    {
        var data = Open(28);
        var image = new float[data.Input.Elements];
        var means = Enumerable.Range(0, 10).Select(_ => new float[image.Length]).ToArray();
        for (var i = 0; i < 400; i++)
        {
            data.Train.Read(i, null, image);
            for (var k = 0; k < image.Length; k++)
                means[data.Train.Label(i)][k] += image[k] / 40;
        }

        var right = 0;
        for (var i = 0; i < 100; i++)
        {
            data.Test.Read(i, null, image);
            var nearest = Enumerable.Range(0, 10).MinBy(label => image.Zip(means[label], (a, b) => Math.Abs(a - b)).Sum());
            right += nearest == data.Test.Label(i) ? 1 : 0;
        }

        Assert.InRange(right, 95, 100);
    }

    [Fact]
    public void Another_size_is_other_data()
    {
        Assert.NotEqual(Open(32).Manifest.Hash, Open(64).Manifest.Hash);
    }

    private static DataSource Open(int side) => DataSource.Open(new DataOptions { Format = DataFormat.Synthetic, ImageSize = side }, null);

    private static string Hash(SyntheticImages images, int index) =>
        Convert.ToHexStringLower(SHA256.HashData(images.Read(index, new byte[images.Shape.Elements])));
}
