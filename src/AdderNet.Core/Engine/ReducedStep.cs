using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using AdderNet.Core.Sharding;

namespace AdderNet.Core.Engine;

/// <summary>A step after its exchange: the same on every member, or their hashes differ.</summary>
/// <param name="Mean">The mean reduction vector.</param>
/// <param name="Counts">Counts over all shards.</param>
/// <param name="Hash">First 8 bytes (big-endian) of the SHA-256 over the exact bits of mean and counts: what members vote.</param>
public sealed record ReducedStep(float[] Mean, StepCounts Counts, ulong Hash)
{
    /// <summary>Hashes a reduced step.</summary>
    public static ReducedStep Create(float[] mean, StepCounts counts)
    {
        Span<byte> tail = stackalloc byte[24];
        BinaryPrimitives.WriteInt64LittleEndian(tail, counts.Samples);
        BinaryPrimitives.WriteInt64LittleEndian(tail[8..], counts.Correct);
        BinaryPrimitives.WriteInt64LittleEndian(tail[16..], counts.FirstNonFinite);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(MemoryMarshal.AsBytes<float>(mean));
        hash.AppendData(tail);
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(digest);
        return new ReducedStep(mean, counts, BinaryPrimitives.ReadUInt64BigEndian(digest));
    }
}
