using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace AdderNet.Core.Kernels;

/// <summary>Arrays that the collector never moves, so that kernels may keep pointers into them.</summary>
internal static unsafe class Pinned
{
    /// <summary>Bytes of a cache line.</summary>
    public const int LineBytes = 64;

    public static T[] Copy<T>(ICollection<T> items)
        where T : unmanaged
    {
        var array = GC.AllocateUninitializedArray<T>(Math.Max(1, items.Count), pinned: true);
        items.CopyTo(array, 0);
        return array;
    }

    public static T[] Array<T>(int length)
        where T : unmanaged => GC.AllocateArray<T>(Math.Max(1, length), pinned: true);

    /// <summary>Zeros that begin at a cache line: a vector of 64 bytes that lies across two lines costs two accesses.</summary>
    public static Memory<float> Lines(int length)
    {
        const int line = LineBytes / sizeof(float);
        var array = GC.AllocateArray<float>(checked(length + line), pinned: true);
        var first = Address(array);
        return array.AsMemory((int)(Workspace.Aligned(first) - first), length);
    }

    /// <summary>The address of a pinned array's first element.</summary>
    public static T* Address<T>(T[] pinned)
        where T : unmanaged => (T*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(pinned));
}
