using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Data.Images;
using AdderNet.Core.Numerics;
using Xunit;

namespace AdderNet.Core.Tests.Data.Images;

public sealed class HostilePictureTests
{
    private static readonly byte[] Jpeg = GoldenPictures.Encoded("420");
    private static readonly byte[] Png = GoldenPictures.Encoded("png");

    public static TheoryData<string, string> Hostile => new()
    {
        { "empty", "is empty (0 bytes)" },
        { "one byte", "is neither JPEG nor PNG: it begins with 0x47" },
        { "garbage", "is neither JPEG nor PNG: it begins with 0x3c68746d" },
        { "only a JPEG's first marker", "is cut short: its 2 bytes end within the JPEG header" },
        { "a JPEG's first 100 bytes", "is cut short: its 100 bytes end within the JPEG header" },
        { "half a JPEG", $"is cut short: its {Jpeg.Length / 2} bytes have no JPEG end marker" },
        { "a JPEG without its last byte", $"is cut short: its {Jpeg.Length - 1} bytes have no JPEG end marker" },
        { "half a progressive JPEG", $"is cut short: its {GoldenPictures.Encoded("progressive").Length / 2} bytes have no JPEG end marker" },
        { "a JPEG of 65500 x 65500", "claims 65500 x 65500 pixels; at most 100 million are decoded" },
        { "a JPEG of 9000 x 9000", $"claims 9000 x 9000 pixels, more than its {Jpeg.Length} bytes can hold" },
        { "a JPEG of 150 x 0", "claims 150 x 0 pixels" },
        { "a JPEG of two components", "is a JPEG of 2 components; 1 (grey), 3 (colour) and 4 (CMYK) are read" },
        { "a JPEG with a hole", "is a damaged JPEG: Corrupt JPEG data: premature end of data segment" },
        { "a JPEG without quantisation tables", "is a damaged JPEG: Quantization table 0x00 was not defined" },
        { "a PNG's first 20 bytes", "is cut short: 20 bytes are too few for a PNG" },
        { "half a PNG", $"is cut short: its {Png.Length / 2} bytes have no PNG end chunk" },
        { "a PNG of 65500 x 65500", "claims 65500 x 65500 pixels; at most 100 million are decoded" },
        { "a PNG of 9000 x 9000", "claims 9000 x 9000 pixels, more than its 300 bytes can hold" },
        { "a PNG with a wrong checksum", "is a damaged PNG: IDAT: " },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public void A_picture_that_cannot_be_decoded_names_itself_and_the_cause_in_one_line(string what, string cause)
    {
        using var pipeline = new PhotographPipeline(32, Augmentation.ImageNet);
        var sample = new float[pipeline.Elements];
        var encoded = Make(what);
        var before = Environment.WorkingSet;
        var message = Assert.Throws<DataException>(() => pipeline.RenderEvaluation(encoded, "n01/bad.JPEG", sample)).Message;
        Assert.StartsWith($"n01/bad.JPEG: {cause}", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
        Assert.Throws<DataException>(() => pipeline.RenderTraining(encoded, "n01/bad.JPEG", 1, 0, 0, sample));
        Assert.InRange(Environment.WorkingSet - before, long.MinValue, 100 << 20);
    }

    [Theory]
    [MemberData(nameof(GoldenPictures.All), MemberType = typeof(GoldenPictures))]
    public void Altered_bytes_are_decoded_or_refused_and_the_next_picture_is_right_again(string name)
    {
        using var pipeline = new PhotographPipeline(GoldenPictures.Side, Augmentation.ImageNet);
        var encoded = GoldenPictures.Encoded(name);
        var sample = new float[pipeline.Elements];
        var draws = new Philox(11, DrawPurpose.Probe);
        var refused = 0;
        for (var trial = 0; trial < 150; trial++)
        {
            var altered = encoded.ToArray();
            for (var change = draws.NextBelow(8); change >= 0; change--)
                altered[draws.NextBelow(altered.Length)] = (byte)draws.NextBelow(256);
            var cut = trial % 5 == 0 ? draws.NextBelow(altered.Length) : altered.Length;
            try
            {
                pipeline.RenderTraining(altered.AsSpan(0, cut), name, 1, 0, trial, sample);
            }
            catch (DataException e)
            {
                refused++;
                Assert.StartsWith(name + ": ", e.Message, StringComparison.Ordinal);
                Assert.DoesNotContain('\n', e.Message);
            }
        }

        Assert.InRange(refused, 20, 150);
        pipeline.RenderEvaluation(encoded, name, sample);
        Assert.Equal(GoldenPictures.Normalized(GoldenPictures.Golden.Bytes(name + ".evaluation")), sample);
    }

    private static byte[] Make(string what) => what switch
    {
        "empty" => [],
        "one byte" => "G"u8.ToArray(),
        "garbage" => "<html>not found</html>"u8.ToArray(),
        "only a JPEG's first marker" => Jpeg[..2],
        "a JPEG's first 100 bytes" => Jpeg[..100],
        "half a JPEG" => Jpeg[..(Jpeg.Length / 2)],
        "a JPEG without its last byte" => Jpeg[..^1],
        "half a progressive JPEG" => GoldenPictures.Encoded("progressive")[..(GoldenPictures.Encoded("progressive").Length / 2)],
        "a JPEG of 65500 x 65500" => With(Jpeg, Frame(Jpeg) + 5, 0xFF, 0xDC, 0xFF, 0xDC),
        "a JPEG of 9000 x 9000" => With(Jpeg, Frame(Jpeg) + 5, 0x23, 0x28, 0x23, 0x28),
        "a JPEG of 150 x 0" => With(Jpeg, Frame(Jpeg) + 5, 0, 0),
        "a JPEG of two components" => With(Jpeg, Frame(Jpeg) + 9, 2),
        "a JPEG with a hole" => [.. Jpeg[..(Jpeg.Length / 2)], 0xFF, 0xD9],
        "a JPEG without quantisation tables" => With(Jpeg, Marker(Jpeg, 0xDB) + 1, 0xFE),
        "a PNG's first 20 bytes" => Png[..20],
        "half a PNG" => Png[..(Png.Length / 2)],
        "a PNG of 65500 x 65500" => With(Png, 16, 0, 0, 0xFF, 0xDC, 0, 0, 0xFF, 0xDC),
        "a PNG of 9000 x 9000" => With(Png, 16, 0, 0, 0x23, 0x28, 0, 0, 0x23, 0x28)[..300],
        "a PNG with a wrong checksum" => With(Png, Png.Length / 2, (byte)(Png[Png.Length / 2] + 1)),
        _ => throw new ArgumentException(what),
    };

    private static int Frame(byte[] jpeg) => Marker(jpeg, 0xC0);

    private static int Marker(byte[] jpeg, byte marker) => jpeg.AsSpan().IndexOf([(byte)0xFF, marker]);

    private static byte[] With(byte[] bytes, int at, params byte[] values)
    {
        var copy = bytes.ToArray();
        values.CopyTo(copy, at);
        return copy;
    }
}
