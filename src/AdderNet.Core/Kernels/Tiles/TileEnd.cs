using System.Runtime.CompilerServices;

namespace AdderNet.Core.Kernels;

/// <summary>
/// How a tile's running sums meet its totals and the output: each block's sum is added to the tile's total, which starts at
/// the addends or at +0 (which leaves no -0); the total replaces the output or is added to it.
/// </summary>
internal static unsafe class TileEnd<TOps, TVector>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
{
    /// <summary>Fills the totals, where there are any, with what the sums start at.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Begin(in TileCall call, int rows, int vectors)
    {
        var totals = call.Totals;
        if (totals == null)
            return;
        for (var vector = 0; vector < vectors; vector++, totals += TOps.Width)
        {
            var total = totals;
            var lanes = call.LaneAddends == null ? TOps.Broadcast(0f) : TOps.Load(call.LaneAddends + vector * TOps.Width);
            for (var row = 0; row < rows; row++, total += vectors * TOps.Width)
                TOps.Store(total, call.LaneAddends == null ? lanes : TOps.Add(lanes, TOps.Broadcast(call.RowAddends[row])));
        }
    }

    /// <summary>What rows whose blocks are added to the output count from: where the block that a segment ends is wanted.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float* BlockOf<TPanel>(in TileCall call, TileSegment* segment)
        where TPanel : struct, IPanel => TPanel.SumsInPlace ? call.Output + (nint)(segment - call.Segments) * call.BlockStride : null;

    /// <summary>A row's totals, which may be the output itself.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float* Total<TPanel>(in TileCall call, float* block, int row, int vectors)
        where TPanel : struct, IPanel => TPanel.SumsInPlace ? block + call.OutputOffsets[row] : call.Totals + row * vectors * TOps.Width;

    /// <summary>Adds a block's sum to its total.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Flush(float* totals, int sum, TVector value)
    {
        var total = totals + sum * TOps.Width;
        TOps.Store(total, TOps.Add(TOps.Load(total), value));
        return default;
    }

    /// <summary>Stores the totals of a tile whose every block is in them, or adds them to the output.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Finish(in TileCall call, int vectors)
    {
        float* total = call.Totals;
        var full = call.LastLanes == TOps.Width ? vectors : vectors - 1;
        for (var row = 0; row < call.ValidRows; row++)
        {
            float* output = call.Output + call.OutputOffsets[row];
            for (var vector = 0; vector < full; vector++, total += TOps.Width, output += TOps.Width)
                Put(call, output, call.Accumulate ? TOps.Add(TOps.Load(output), TOps.Load(total)) : TOps.Load(total));
            if (full == vectors)
                continue;
            TOps.StorePart(output, call.Accumulate ? TOps.Add(TOps.LoadPart(output, call.LastLanes), TOps.Load(total)) : TOps.Load(total), call.LastLanes);
            total += TOps.Width;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(in TileCall call, int row, TVector s0)
    {
        if (row < call.ValidRows)
            StoreLast(call, row, 0, row, s0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(in TileCall call, int row, TVector s0, TVector s1)
    {
        if (row >= call.ValidRows)
            return;
        StoreFull(call, row, 0, row * 2, s0);
        StoreLast(call, row, 1, row * 2 + 1, s1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(in TileCall call, int row, TVector s0, TVector s1, TVector s2, TVector s3)
    {
        if (row >= call.ValidRows)
            return;
        StoreFull(call, row, 0, row * 4, s0);
        StoreFull(call, row, 1, row * 4 + 1, s1);
        StoreFull(call, row, 2, row * 4 + 2, s2);
        StoreLast(call, row, 3, row * 4 + 3, s3);
    }

    /// <summary>Whether all rows and lanes of a tile of one vector are stored, the addends and a single block of terms.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsPlain(in TileCall call, int rows) =>
        call.ValidRows == rows && call.LastLanes == TOps.Width && !call.Accumulate;

    /// <summary>Stores a vector of the result.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Put(in TileCall call, float* output, TVector value)
    {
        if (call.PastCaches)
            TOps.StorePastCaches(output, value);
        else
            TOps.Store(output, value);
    }

    /// <summary>Stores a row of a tile of one vector, or adds it to the output.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreTotal(in TileCall call, int row, TVector total)
    {
        if (row >= call.ValidRows)
            return;
        var output = call.Output + call.OutputOffsets[row];
        if (call.LastLanes == TOps.Width)
            Put(call, output, call.Accumulate ? TOps.Add(TOps.Load(output), total) : total);
        else
            TOps.StorePart(output, call.Accumulate ? TOps.Add(TOps.LoadPart(output, call.LastLanes), total) : total, call.LastLanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Total(in TileCall call, int sum, TVector value) =>
        TOps.Add(call.Totals != null ? TOps.Load(call.Totals + sum * TOps.Width) : TOps.Broadcast(0f), value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreFull(in TileCall call, int row, int vector, int sum, TVector value)
    {
        var output = call.Output + call.OutputOffsets[row] + vector * TOps.Width;
        value = Total(call, sum, value);
        Put(call, output, call.Accumulate ? TOps.Add(TOps.Load(output), value) : value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreLast(in TileCall call, int row, int vector, int sum, TVector value)
    {
        if (call.LastLanes == TOps.Width)
        {
            StoreFull(call, row, vector, sum, value);
            return;
        }

        var output = call.Output + call.OutputOffsets[row] + vector * TOps.Width;
        value = Total(call, sum, value);
        TOps.StorePart(output, call.Accumulate ? TOps.Add(TOps.LoadPart(output, call.LastLanes), value) : value, call.LastLanes);
    }
}
