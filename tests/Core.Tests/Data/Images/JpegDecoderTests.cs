using Xunit;

namespace AdderNet.Core.Tests.Data.Images;

public sealed class JpegDecoderTests
{
    [Theory]
    [MemberData(nameof(GoldenPictures.Jpegs), MemberType = typeof(GoldenPictures))]
    public void Rows_decoded_without_those_below_them_have_the_bits_of_the_whole_picture(string name)
    {
        var encoded = GoldenPictures.Encoded(name);
        var (width, height) = GoldenPictures.Size(name);
        var whole = Decoded.Rgb(encoded, height);
        for (var rows = 1; rows < height; rows++)
            Assert.True(Decoded.Rgb(encoded, rows).AsSpan().SequenceEqual(whole.AsSpan(0, rows * width * 3)), $"the first {rows} rows of {name} differ");
    }
}
