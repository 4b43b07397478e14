using System.Buffers.Binary;
using System.Runtime.InteropServices;
using AdderNet.Core.Numerics;
using AdderNet.Core.Sharding;

namespace AdderNet.Core.Engine;

/// <summary>A step after its exchange: the same on every member, or their hashes differ.</summary>
/// <param name="Mean">The mean reduction vector.</param>
/// <param name="Counts">Counts over all shards.</param>
/// <param name="Hash">A hash over the exact bits of mean and counts: what members vote.</param>
public sealed record ReducedStep(float[] Mean, StepCounts Counts, ulong Hash)
{
    /// <summary>Hashes a reduced step: XXH64 over the counts (samples, correct, first non-finite value) with XXH64 over the mean as its seed.</summary>
    public static ReducedStep Create(float[] mean, StepCounts counts)
    {
        Span<byte> tail = stackalloc byte[24];
        BinaryPrimitives.WriteInt64LittleEndian(tail, counts.Samples);
        BinaryPrimitives.WriteInt64LittleEndian(tail[8..], counts.Correct);
        BinaryPrimitives.WriteInt64LittleEndian(tail[16..], counts.FirstNonFinite);
        return new ReducedStep(mean, counts, BitsHash.Of(tail, seed: BitsHash.Of(MemoryMarshal.AsBytes<float>(mean), seed: 0)));
    }
}
