using System.Security.Cryptography;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data.Images;
using Xunit;

namespace AdderNet.Core.Tests.Data.Images;

public sealed class PillowPixelsTests
{
    [Theory]
    [MemberData(nameof(GoldenPictures.All), MemberType = typeof(GoldenPictures))]
    public void Every_kind_of_picture_decodes_to_the_bytes_that_Pillow_decodes(string name)
    {
        var encoded = GoldenPictures.Encoded(name);
        var header = PictureHeader.Read(encoded);
        Assert.Equal(GoldenPictures.Size(name), (header.Width, header.Height));
        Assert.Equal(GoldenPictures.Golden.Bytes(name + ".sha256"), SHA256.HashData(Decoded.Rgb(encoded, header.Height)));
    }

    [Theory]
    [MemberData(nameof(GoldenPictures.All), MemberType = typeof(GoldenPictures))]
    public void Evaluation_gives_the_bits_of_torchvisions_Resize_CenterCrop_ToTensor_and_Normalize(string name)
    {
        using var pipeline = new PhotographPipeline(GoldenPictures.Side, Augmentation.ImageNet);
        var sample = new float[pipeline.Elements];
        pipeline.RenderEvaluation(GoldenPictures.Encoded(name), name, sample);
        Assert.Equal(GoldenPictures.Normalized(GoldenPictures.Golden.Bytes(name + ".evaluation")), sample);
    }

    [Theory]
    [MemberData(nameof(GoldenPictures.All), MemberType = typeof(GoldenPictures))]
    public void A_crop_has_the_bits_of_torchvisions_resized_crop_mirrored_or_not(string name)
    {
        var encoded = GoldenPictures.Encoded(name);
        var boxes = GoldenPictures.Golden.Integers(name + ".crops");
        for (var i = 0; i < boxes.Length / 4; i++)
        {
            var plan = new CropPlan(new Stretch(boxes[i * 4], boxes[(i * 4) + 2]), new Stretch(boxes[(i * 4) + 1], boxes[(i * 4) + 3]), GoldenPictures.Side, GoldenPictures.Side, 0, 0, false);
            var expected = GoldenPictures.Normalized(GoldenPictures.Golden.Bytes($"{name}.crop.{i}"));
            Assert.Equal(expected, GoldenPictures.Render(encoded, plan));
            Assert.Equal(Mirrored(expected), GoldenPictures.Render(encoded, plan with { Mirror = true }));
        }
    }

    private static float[] Mirrored(float[] sample) =>
        [.. sample.Chunk(GoldenPictures.Side * 3).SelectMany(row => row.Chunk(3).Reverse().SelectMany(pixel => pixel))];
}
