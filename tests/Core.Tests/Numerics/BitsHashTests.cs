using AdderNet.Core.Numerics;
using Xunit;

namespace AdderNet.Core.Tests.Numerics;

/// <summary>XXH64 against the answers of the xxHash library, version 0.8.1.</summary>
public class BitsHashTests
{
    [Theory]
    [InlineData(0, 0x0, 0xEF46DB3751D8E999)]
    [InlineData(0, 0x123456789ABCDEF0, 0x7FEF5B0C316777ED)]
    [InlineData(1, 0x0, 0x2078E1AD38AD738B)]
    [InlineData(1, 0x123456789ABCDEF0, 0x76F866E0C3AAA91A)]
    [InlineData(3, 0x0, 0x634D95FC01A189CD)]
    [InlineData(3, 0x123456789ABCDEF0, 0xF64A278AB4A34C8B)]
    [InlineData(4, 0x0, 0xEED340908A1AC6C6)]
    [InlineData(4, 0x123456789ABCDEF0, 0xB21AEA81032C7823)]
    [InlineData(7, 0x0, 0x0DA493621D6DC898)]
    [InlineData(7, 0x123456789ABCDEF0, 0x01CFC08BFB7C1681)]
    [InlineData(8, 0x0, 0x76F916C7BB523126)]
    [InlineData(8, 0x123456789ABCDEF0, 0x0B30918C7F636C01)]
    [InlineData(13, 0x0, 0x7E1A468BDD27B4D8)]
    [InlineData(13, 0x123456789ABCDEF0, 0x2F475C4A9084CED1)]
    [InlineData(31, 0x0, 0x65C5FEB01DA7464D)]
    [InlineData(31, 0x123456789ABCDEF0, 0x185B6712B22540C9)]
    [InlineData(32, 0x0, 0x7665C921C9BF2EC7)]
    [InlineData(32, 0x123456789ABCDEF0, 0xA4A65BDD7A7D059B)]
    [InlineData(33, 0x0, 0xB5A9D9EF259AE821)]
    [InlineData(33, 0x123456789ABCDEF0, 0x1BA0486785CF35E8)]
    [InlineData(64, 0x0, 0xFFF2525C99BF2005)]
    [InlineData(64, 0x123456789ABCDEF0, 0xBC97511D993ECA4A)]
    [InlineData(100, 0x0, 0x74E502DB362EFD4C)]
    [InlineData(100, 0x123456789ABCDEF0, 0x9AEEE7527922C012)]
    [InlineData(1000, 0x0, 0x626443C8029D0542)]
    [InlineData(1000, 0x123456789ABCDEF0, 0x35A39C14157E89EF)]
    public void Hashes_are_those_of_the_published_algorithm(int length, ulong seed, ulong expected)
    {
        var bytes = new byte[length];
        for (var i = 0; i < length; i++)
            bytes[i] = (byte)(i * 167 + 13);
        Assert.Equal(expected, BitsHash.Of(bytes, seed));
    }

    [Fact]
    public void Every_single_bit_changes_the_hash()
    {
        var bytes = new byte[77];
        var before = BitsHash.Of(bytes, seed: 0);
        for (var bit = 0; bit < 8 * bytes.Length; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << bit % 8);
            Assert.NotEqual(before, BitsHash.Of(bytes, seed: 0));
            bytes[bit / 8] ^= (byte)(1 << bit % 8);
        }
    }
}
