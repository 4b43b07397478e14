using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace AdderNet.Core.Kernels;

/// <summary>Asks for the memory of the tile after this one: tiles jump from row to row, which hardware does not foresee.</summary>
internal static unsafe class TilePrefetch
{
    /// <summary>A row of the next tile. Tables hold offsets beyond their end, and a wrong address only wastes the request.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Next<TOps, TVector>(in TileCall call, int place, int vectors)
        where TOps : struct, IVectorOps<TVector>
        where TVector : unmanaged
    {
        if (!Sse.IsSupported)
            return;
        for (var vector = 0; vector < vectors; vector++)
        {
            Sse.Prefetch0(call.Own + place + vector * TOps.Width);
            Sse.Prefetch0(call.Output + place + vector * TOps.Width);
        }
    }
}
