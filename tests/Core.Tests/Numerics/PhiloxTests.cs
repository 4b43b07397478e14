using AdderNet.Core.Numerics;
using Xunit;

namespace AdderNet.Core.Tests.Numerics;

public class PhiloxTests
{
    /// <summary>Known answers that the Random123 distribution publishes for philox4x32 with ten rounds.</summary>
    [Theory]
    [InlineData(0u, 0u, 0u, 0u, 0u, 0u, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [InlineData(0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0xa4093822u, 0x299f31d0u, 0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void Blocks_equal_the_published_known_answers(
        uint c0, uint c1, uint c2, uint c3, uint k0, uint k1, uint r0, uint r1, uint r2, uint r3)
    {
        Assert.Equal((r0, r1, r2, r3), Philox.Block((c0, c1, c2, c3), (k0, k1)));
    }

    [Fact]
    public void Words_come_in_counter_order_and_use_all_of_the_seed()
    {
        const long seed = unchecked((long)0x89ABCDEF01234567);
        var stream = new Philox(seed, DrawPurpose.Augmentation, 7, 9);
        for (var block = 0u; block < 3; block++)
        {
            var (a, b, c, d) = Philox.Block((block, 7, 9, (uint)DrawPurpose.Augmentation), (0x01234567, 0x89ABCDEF));
            Assert.Equal(a, stream.NextUInt32());
            Assert.Equal(b, stream.NextUInt32());
            Assert.Equal(c, stream.NextUInt32());
            Assert.Equal(d, stream.NextUInt32());
        }
    }

    [Fact]
    public void Bounded_draws_cover_their_range_evenly()
    {
        var stream = new Philox(3, DrawPurpose.Permutation);
        var counts = new int[7];
        for (var i = 0; i < 70_000; i++)
            counts[stream.NextBelow(7)]++;

        // Five standard deviations of a binomial count: sqrt(70000 * 1/7 * 6/7) = 92.6.
        Assert.All(counts, count => Assert.InRange(count, 10_000 - 463, 10_000 + 463));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Philox(3, DrawPurpose.Permutation).NextBelow(0));
    }

    [Fact]
    public void Bounded_draws_reject_what_would_bias_a_large_range()
    {
        // With bound 3 * 2^29, plain multiplication would give every third value twice the weight of the others.
        const int bound = 3 << 29;
        var stream = new Philox(5, DrawPurpose.Permutation);
        var counts = new int[3];
        for (var i = 0; i < 30_000; i++)
            counts[stream.NextBelow(bound) % 3]++;
        Assert.All(counts, count => Assert.InRange(count, 10_000 - 410, 10_000 + 410));
    }

    [Fact]
    public void Normals_have_the_moments_of_a_standard_normal()
    {
        var stream = new Philox(1, DrawPurpose.Initialization);
        double sum = 0, squares = 0, fourth = 0;
        const int count = 100_000;
        for (var i = 0; i < count; i++)
        {
            var z = stream.NextNormal();
            sum += z;
            squares += z * z;
            fourth += z * z * z * z;
        }

        Assert.InRange(sum / count, -0.016, 0.016);
        Assert.InRange(squares / count, 0.98, 1.02);
        Assert.InRange(fourth / count, 2.85, 3.15);
    }

    [Fact]
    public void Doubles_lie_in_the_half_open_unit_interval()
    {
        var stream = new Philox(2, DrawPurpose.Audit);
        var sum = 0.0;
        for (var i = 0; i < 10_000; i++)
        {
            var u = stream.NextDouble();
            Assert.InRange(u, 0.0, 1.0 - Math.ScaleB(1, -53));
            sum += u;
        }

        Assert.InRange(sum / 10_000, 0.485, 0.515);
    }

    /// <summary>Bits fixed with numerics version 1: a change here is a new version.</summary>
    [Fact]
    public void Derived_draws_keep_their_bits()
    {
        var stream = new Philox(1, DrawPurpose.Initialization, 2, 3);
        var drawn = (BitConverter.DoubleToUInt64Bits(stream.NextNormal()), stream.NextBelow(1_000_000), BitConverter.DoubleToUInt64Bits(stream.NextDouble()));
        Assert.Equal((4608949260527726364UL, 435468, 4582802239060817888UL), drawn);
    }
}
