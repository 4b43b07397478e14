using System.Runtime.Intrinsics.X86;

namespace AdderNet.Core.Kernels;

/// <summary>What the processor says about its caches. Sizes decide how passes go through their operands, never what they compute.</summary>
internal static class CacheSizes
{
    /// <summary>Bytes where the processor does not tell.</summary>
    private const long Usual = 1 << 20;

    private const int IntelLeaf = 4;
    private const int FirstExtended = unchecked((int)0x80000000);
    private const int AmdLeaf = unchecked((int)0x8000001D);
    private const int Caches = 8;

    /// <summary>Bytes of second-level cache that a core has to itself.</summary>
    public static long SecondLevel { get; } = Find();

    /// <summary>The same from the registers of one cache's CPUID leaf (4 or 8000001Dh: both makers lay them out alike); null where it is not a second-level cache for data.</summary>
    public static long? OfLeaf(int eax, int ebx, int ecx)
    {
        const int instructions = 2;
        var (type, level) = (eax & 31, (eax >> 5) & 7);
        if (type is 0 or instructions || level != 2)
            return null;
        var (ways, partitions, line, sets) = (((ebx >> 22) & 1023) + 1, ((ebx >> 12) & 1023) + 1, (ebx & 4095) + 1, ecx + 1L);

        // Two processors that share it are the threads of a core.
        var sharing = ((eax >> 14) & 4095) + 1;
        return (long)ways * partitions * line * sets / Math.Max(sharing / 2, 1);
    }

    private static long Find() => !X86Base.IsSupported ? Usual : OfLeaves(0, IntelLeaf) ?? OfLeaves(FirstExtended, AmdLeaf) ?? Usual;

    /// <summary>The second-level cache among those that a leaf describes, if the processor has the leaf; makers leave the other's empty.</summary>
    private static long? OfLeaves(int first, int leaf)
    {
        if ((uint)X86Base.CpuId(first, 0).Eax < (uint)leaf)
            return null;
        for (var cache = 0; cache < Caches; cache++)
        {
            var (eax, ebx, ecx, _) = X86Base.CpuId(leaf, cache);
            if (OfLeaf(eax, ebx, ecx) is { } size)
                return size;
        }

        return null;
    }
}
