using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using Xunit;

namespace AdderNet.Core.Tests.Data;

public sealed class EvaluationBlocksTests
{
    [Fact]
    public void Blocks_cover_every_sample_once_in_order_and_the_last_may_be_shorter()
    {
        var source = DataSource.Open(new DataOptions { Format = DataFormat.Synthetic, ImageSize = 8 }, null);
        var blocks = new EvaluationBlocks(source.Test, source.Input, 100);
        Assert.Equal(11, blocks.Count);
        var expected = new float[source.Input.Elements];
        var index = 0;
        for (var block = 0; block < blocks.Count; block++)
        {
            var batch = blocks.Read(block);
            Assert.Equal(block < 10 ? 100 : 24, batch.Count);
            for (var i = 0; i < batch.Count; i++, index++)
            {
                source.Test.Read(index, null, expected);
                Assert.True(batch.Images.Span.Slice(i * expected.Length, expected.Length).SequenceEqual(expected));
                Assert.Equal(source.Test.Label(index), batch.Labels.Span[i]);
            }
        }

        Assert.Equal(source.Test.Count, index);
        Assert.Throws<ArgumentOutOfRangeException>(() => blocks.Read(11));
    }

    [Theory]
    [InlineData(10_000, 157)]
    [InlineData(64, 1)]
    [InlineData(65, 2)]
    [InlineData(int.MaxValue, 33_554_432)]
    public void The_number_of_blocks_follows_from_the_number_of_samples(int samples, int blocks) =>
        Assert.Equal(blocks, EvaluationBlocks.CountBlocks(samples));
}
