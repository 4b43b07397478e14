using System.Runtime.Intrinsics.X86;

namespace AdderNet.Core.Kernels;

/// <summary>
/// Asks for the memory of the tile after this one: tiles jump from row to row, which hardware does not foresee. Tables hold
/// offsets beyond their end, and a wrong address only wastes the request.
/// </summary>
internal static unsafe class TilePrefetch
{
    /// <summary>Elements of a cache line.</summary>
    private const int Line = 16;

    /// <summary>Lines of a row's first run that are asked for; hardware foresees the ones behind.</summary>
    private const int RowLines = 4;

    /// <summary>The next tile's rows and outputs.</summary>
    public static void NextRows<TOps, TVector>(in TileCall call, int rows, int vectors)
        where TOps : struct, IVectorOps<TVector>
        where TVector : unmanaged
    {
        if (!Sse.IsSupported || call.SegmentCount == 0)
            return;
        var lines = call.RowStride > 1 ? 0 : Math.Min(RowLines, (call.Segments->Length + Line - 1) / Line);
        for (var next = rows; next < 2 * rows; next++)
        {
            float* row = call.Rows + call.Segments->Offset + call.RowOffsets[next];
            for (var line = 0; line < lines; line++)
                Sse.Prefetch0(row + line * Line);
            float* output = call.Output + call.OutputOffsets[next];
            for (var vector = 0; vector < vectors; vector++)
                Sse.Prefetch0(output + vector * TOps.Width);
        }
    }

    /// <summary>The next tile's outputs and their own operands.</summary>
    public static void NextOwn<TOps, TVector>(in TileCall call, int rows, int vectors)
        where TOps : struct, IVectorOps<TVector>
        where TVector : unmanaged
    {
        if (!Sse.IsSupported)
            return;
        for (var next = rows; next < 2 * rows; next++)
        {
            for (var vector = 0; vector < vectors; vector++)
            {
                Sse.Prefetch0(call.Own + call.OutputOffsets[next] + vector * TOps.Width);
                Sse.Prefetch0(call.Output + call.OutputOffsets[next] + vector * TOps.Width);
            }
        }
    }
}
