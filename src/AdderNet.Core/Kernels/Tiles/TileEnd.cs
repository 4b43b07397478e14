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
                Finish(call, output, TOps.Load(total));
            if (full == vectors)
                continue;
            TOps.StorePart(output, call.Accumulate ? TOps.Add(TOps.LoadPart(output, call.LastLanes), TOps.Load(total)) : TOps.Load(total), call.LastLanes);
            total += TOps.Width;
        }
    }

    /// <summary>Stores a vector of the result, or adds it to the output.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Finish(in TileCall call, float* output, TVector total)
    {
        if (call.Accumulate)
            total = TOps.Add(TOps.Load(output), total);
        if (call.PastCaches)
            TOps.StorePastCaches(output, total);
        else
            TOps.Store(output, total);
    }
}
