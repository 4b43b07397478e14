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

    [Fact]
    public void Blocks_read_ahead_by_several_threads_are_the_same_and_may_be_left_before_the_end()
    {
        using var source = DataSource.Open(new DataOptions { Format = DataFormat.Synthetic, ImageSize = 8 }, null);
        using var plain = new EvaluationBlocks(source.Test, source.Input, 100);
        using var ahead = new EvaluationBlocks(source.Test, source.Input, 100, threads: 3);
        var block = 3;
        foreach (var batch in ahead.Read(3, 11))
        {
            var expected = plain.Read(block++);
            Assert.True(batch.Images.Span.SequenceEqual(expected.Images.Span));
            Assert.True(batch.Labels.Span.SequenceEqual(expected.Labels.Span));
        }

        Assert.Equal(11, block);
        Assert.Empty(ahead.Read(4, 4));
        Assert.Equal(100, ahead.Read(0, 11).First().Count);
    }

    [Theory]
    [InlineData(10_000, 157)]
    [InlineData(64, 1)]
    [InlineData(65, 2)]
    [InlineData(int.MaxValue, 33_554_432)]
    public void The_number_of_blocks_follows_from_the_number_of_samples(int samples, int blocks) =>
        Assert.Equal(blocks, EvaluationBlocks.CountBlocks(samples));
}
