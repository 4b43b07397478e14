namespace AdderNet.Core.Numerics;

/// <summary>
/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a counter-based generator, so that
/// any draw of any stream can be made anywhere without the draws before it. The key is the 64-bit seed; the counter words are
/// [draw block, item, sub-item, purpose]. A mutable struct: pass it by reference to go on with a stream.
/// </summary>
/// <param name="seed">The run's seed, all 64 bits of it.</param>
/// <param name="purpose">What the stream is for.</param>
/// <param name="item">First coordinate within the purpose, such as a sample index.</param>
/// <param name="subItem">Second coordinate, such as an epoch.</param>
internal struct Philox(long seed, DrawPurpose purpose, uint item = 0, uint subItem = 0)
{
    private const uint Multiplier0 = 0xD2511F53;
    private const uint Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9;
    private const uint Weyl1 = 0xBB67AE85;
    private const double UnitOf53Bits = 1.0 / (1L << 53);

    private readonly uint key0 = (uint)seed;
    private readonly uint key1 = (uint)((ulong)seed >> 32);
    private uint block;
    private int unread;
    private UInt128 drawn;

    /// <summary>The next 32 uniform bits: the four words of each block in order.</summary>
    public uint NextUInt32()
    {
        if (unread == 0)
        {
            var (a, b, c, d) = Block((block++, item, subItem, (uint)purpose), (key0, key1));
            drawn = new UInt128(((ulong)d << 32) | c, ((ulong)b << 32) | a);
            unread = 4;
        }

        var word = (uint)drawn;
        drawn >>= 32;
        unread--;
        return word;
    }

    /// <summary>Uniform in [0, 1), a multiple of 2^-53; takes two words, the high one first.</summary>
    public double NextDouble()
    {
        ulong high = NextUInt32();
        return (((high << 32) | NextUInt32()) >> 11) * UnitOf53Bits;
    }

    /// <summary>Uniform in [0, <paramref name="bound"/>) without bias (Lemire's multiplication with rejection).</summary>
    /// <param name="bound">Exclusive upper end, at least 1.</param>
    public int NextBelow(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bound, 1);
        var range = (uint)bound;
        var product = (ulong)NextUInt32() * range;
        if ((uint)product < range)
        {
            var rejected = (0u - range) % range;
            while ((uint)product < rejected)
                product = (ulong)NextUInt32() * range;
        }

        return (int)(product >> 32);
    }

    /// <summary>Standard normal by Box-Muller; takes four words, one block of a stream that draws nothing else.</summary>
    public double NextNormal()
    {
        // 1 - u lies in (0, 1], so the logarithm is finite.
        var radius = Math.Sqrt(-2.0 * DeterministicMath.Log(1.0 - NextDouble()));
        return radius * DeterministicMath.Cos(2.0 * Math.PI * NextDouble());
    }

    /// <summary>The bijection itself: ten rounds over one counter.</summary>
    internal static (uint, uint, uint, uint) Block((uint, uint, uint, uint) counter, (uint, uint) key)
    {
        var (c0, c1, c2, c3) = counter;
        var (k0, k1) = key;
        for (var round = 0; round < 10; round++)
        {
            var product0 = (ulong)Multiplier0 * c0;
            var product1 = (ulong)Multiplier1 * c2;
            (c0, c1, c2, c3) = ((uint)(product1 >> 32) ^ c1 ^ k0, (uint)product1, (uint)(product0 >> 32) ^ c3 ^ k1, (uint)product0);
            k0 += Weyl0;
            k1 += Weyl1;
        }

        return (c0, c1, c2, c3);
    }
}
