using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace AdderNet.Core.Numerics;

/// <summary>
/// XXH64, a 64-bit hash for telling apart what came out differently by accident, at the speed at which memory is read; it is
/// no proof against forgery. Source: the algorithm's public description, github.com/Cyan4973/xxHash, doc/xxhash_spec.md.
/// </summary>
internal static class BitsHash
{
    private const ulong Prime1 = 0x9E3779B185EBCA87;
    private const ulong Prime2 = 0xC2B2AE3D27D4EB4F;
    private const ulong Prime3 = 0x165667B19E3779F9;
    private const ulong Prime4 = 0x85EBCA77C2B2AE63;
    private const ulong Prime5 = 0x27D4EB2F165667C5;
    private const int StripeBytes = 4 * sizeof(ulong);

    /// <summary>The hash of bytes, which are read as little-endian numbers.</summary>
    /// <param name="bytes">Any number of bytes.</param>
    /// <param name="seed">Chains hashes: the hash of what comes before.</param>
    public static ulong Of(ReadOnlySpan<byte> bytes, ulong seed)
    {
        var whole = bytes.Length - bytes.Length % StripeBytes;
        var hash = whole == 0 ? seed + Prime5 : Stripes(bytes[..whole], seed);
        return Avalanche(Rest(bytes[whole..], hash + (ulong)bytes.Length));
    }

    /// <summary>Four numbers side by side, which do not wait for one another.</summary>
    private static ulong Stripes(ReadOnlySpan<byte> bytes, ulong seed)
    {
        var (first, second, third, fourth) = (seed + Prime1 + Prime2, seed + Prime2, seed, seed - Prime1);
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        for (var i = 0; i <= words.Length - 4; i += 4)
        {
            first = Round(first, Little(words[i]));
            second = Round(second, Little(words[i + 1]));
            third = Round(third, Little(words[i + 2]));
            fourth = Round(fourth, Little(words[i + 3]));
        }

        var hash = BitOperations.RotateLeft(first, 1) + BitOperations.RotateLeft(second, 7)
            + BitOperations.RotateLeft(third, 12) + BitOperations.RotateLeft(fourth, 18);
        hash = Merge(hash, first);
        hash = Merge(hash, second);
        hash = Merge(hash, third);
        return Merge(hash, fourth);
    }

    private static ulong Rest(ReadOnlySpan<byte> bytes, ulong hash)
    {
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
            hash = BitOperations.RotateLeft(hash ^ Round(0, BinaryPrimitives.ReadUInt64LittleEndian(bytes)), 27) * Prime1 + Prime4;
        if (bytes.Length >= sizeof(uint))
        {
            hash = BitOperations.RotateLeft(hash ^ BinaryPrimitives.ReadUInt32LittleEndian(bytes) * Prime1, 23) * Prime2 + Prime3;
            bytes = bytes[sizeof(uint)..];
        }

        foreach (var last in bytes)
            hash = BitOperations.RotateLeft(hash ^ last * Prime5, 11) * Prime1;
        return hash;
    }

    private static ulong Avalanche(ulong hash)
    {
        hash = (hash ^ hash >> 33) * Prime2;
        hash = (hash ^ hash >> 29) * Prime3;
        return hash ^ hash >> 32;
    }

    private static ulong Merge(ulong hash, ulong lane) => (hash ^ Round(0, lane)) * Prime1 + Prime4;

    private static ulong Round(ulong lane, ulong input) => BitOperations.RotateLeft(lane + input * Prime2, 31) * Prime1;

    private static ulong Little(ulong word) => BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word);
}
