using AdderNet.Core.Kernels;
using Xunit;

namespace AdderNet.Core.Tests.Kernels;

public sealed class CacheSizesTests
{
    [Theory]
    [InlineData("16 ways, 2048 sets, of one processor", 3, 2, 1, 16, 1, 64, 2048, 2L << 20)]
    [InlineData("8 ways, 2048 sets, of a core's two threads", 3, 2, 2, 8, 1, 64, 2048, 1L << 20)]
    [InlineData("16 ways, 4096 sets, of two cores with two threads each", 3, 2, 4, 16, 1, 64, 4096, 2L << 20)]
    [InlineData("first level", 1, 1, 2, 12, 1, 64, 64, null)]
    [InlineData("instructions", 2, 2, 2, 8, 1, 64, 64, null)]
    [InlineData("third level", 3, 3, 16, 15, 1, 64, 49152, null)]
    [InlineData("none", 0, 0, 1, 1, 1, 1, 1, null)]
    public void Registers_tell_the_second_level_of_a_core(string cache, int type, int level, int sharing, int ways, int partitions, int line, int sets, long? bytes)
    {
        var eax = type | (level << 5) | ((sharing - 1) << 14);
        var ebx = ((ways - 1) << 22) | ((partitions - 1) << 12) | (line - 1);

        Assert.True(bytes == CacheSizes.OfLeaf(eax, ebx, sets - 1), cache);
    }

    [Fact]
    public void This_machine_has_a_second_level_of_a_plausible_size() => Assert.InRange(CacheSizes.SecondLevel, 64 << 10, 64 << 20);
}
