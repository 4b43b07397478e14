using System.Runtime.CompilerServices;

namespace AdderNet.Core.Kernels;

/// <summary>
/// Scratch buffers that grow to the largest size asked for and are then used again, so that steady-state calls allocate
/// nothing. Each slot holds one buffer: taking a slot again invalidates what was taken from it before.
/// </summary>
internal sealed unsafe class Workspace
{
    private const int AlignmentBytes = 64;
    private readonly byte[]?[] buffers = new byte[Enum.GetValues<WorkspaceSlot>().Length][];

    /// <summary>Room for <paramref name="count"/> values of any content, 64-byte aligned, with 64 readable and writable bytes after it.</summary>
    public T* Take<T>(WorkspaceSlot slot, long count)
        where T : unmanaged
    {
        var bytes = checked((int)Math.Min(int.MaxValue, count * sizeof(T) + 2 * AlignmentBytes));
        if (count * sizeof(T) + 2 * AlignmentBytes > Array.MaxLength)
            throw new InvalidOperationException($"A kernel needs {count * sizeof(T):N0} bytes of scratch memory in one piece; at most {Array.MaxLength:N0} are possible. Use more shards, so that each has fewer samples.");
        ref var buffer = ref buffers[(int)slot];
        if (buffer is null || buffer.Length < bytes)
            buffer = GC.AllocateUninitializedArray<byte>(bytes, pinned: true);
        return Aligned((T*)Unsafe.AsPointer(ref buffer[0]));
    }

    /// <summary>The next multiple of 64 bytes.</summary>
    public static T* Aligned<T>(T* address)
        where T : unmanaged => (T*)(((nuint)address + AlignmentBytes - 1) & ~(nuint)(AlignmentBytes - 1));
}

/// <summary>What a scratch buffer holds.</summary>
internal enum WorkspaceSlot
{
    PaddedInput,
    PackedFilters,
    FilterSums,
    PixelSums,
    InputSums,
    TapSums,
    PackedGradient,
    PackedRows,
    GatheredInput,
    OrderedFilters,
    OrderedGradient,
    GradientSums,
    BlockSums,
    BlockGradients,
    BatchInput,
    BatchOutput,
    BatchGradient,
    BatchSums,
}
