using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace AdderNet.Core.Kernels;

/// <summary>
/// Asks for the memory of the tile after this one: tiles jump from row to row, which hardware does not foresee. Tables hold
/// offsets beyond their end, and a wrong address only wastes the request.
/// </summary>
internal static unsafe class TilePrefetch
{
    /// <summary>What a tile a sweep later reads and writes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LaterRows(in TileCall call, nint first)
    {
        if (!Sse.IsSupported)
            return;
        if (call.LaterOutputs != null)
        {
            int* places = call.LaterOutputs + first;
            for (nint row = 0; row < GatherPlan.Group; row++)
                Sse.Prefetch0(call.Output + places[row]);
        }

        if (call.LaterSource == null)
            return;
        int* rows = call.LaterRows + first;
        var end = call.Segments + call.SegmentCount;
        for (var segment = call.Segments; segment < end; segment++)
        {
            nint length = Math.Min(segment->Length, call.RowDistance);
            float* source = call.LaterSource + segment->Offset;
            for (nint row = 0; row < GatherPlan.Group; row++)
            {
                for (nint k = 0; k < length; k += 16)
                    Sse.Prefetch0(source + rows[row] + k);
            }
        }
    }
}

/// <summary>What the next tile of rows reads and writes first, spread over the segments of this one: many requests at once would wait for each other, and all else for them.</summary>
internal unsafe struct NextRows<TOps, TVector>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
{
    /// <summary>Elements of a cache line.</summary>
    private const int Line = 16;

    /// <summary>Lines of a row's first run that are asked for; hardware foresees the ones behind.</summary>
    private const int RowLines = 4;

    private readonly int end;
    private readonly int share;
    private readonly int rowLength;
    private readonly int width;
    private int next;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public NextRows(in TileCall call, int rows, int vectors)
    {
        next = rows;
        end = 2 * rows;
        share = (rows + call.SegmentCount - 1) / Math.Max(call.SegmentCount, 1);
        rowLength = call.RowStride > 1 || call.SegmentCount == 0 ? 0 : Math.Min(RowLines * Line, call.Segments->Length);
        width = vectors * TOps.Width;
    }

    /// <summary>The share of a segment.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Ask(in TileCall call)
    {
        if (!Sse.IsSupported)
            return;
        for (var last = Math.Min(next + share, end); next < last; next++)
        {
            float* row = call.Rows + call.Segments->Offset + call.RowOffsets[next];
            for (var i = 0; i < rowLength; i += Line)
                Sse.Prefetch0(row + i);
            float* output = call.Output + call.OutputOffsets[next];
            for (var i = 0; i < width && !call.PastCaches; i += Line)
                Sse.Prefetch0(output + i);
        }
    }
}
