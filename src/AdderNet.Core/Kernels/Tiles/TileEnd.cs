using System.Runtime.CompilerServices;

namespace AdderNet.Core.Kernels;

/// <summary>
/// How a tile's running sums meet the output: replacing it (plus +0, which leaves no -0),
/// replacing it with addends, or added to it.
/// </summary>
internal static unsafe class TileEnd<TOps, TVector>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Store(in TileCall call, int row, TVector s0) => StoreLast(call, row, 0, s0);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Store(in TileCall call, int row, TVector s0, TVector s1)
    {
        StoreFull(call, row, 0, s0);
        StoreLast(call, row, 1, s1);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Store(in TileCall call, int row, TVector s0, TVector s1, TVector s2, TVector s3)
    {
        StoreFull(call, row, 0, s0);
        StoreFull(call, row, 1, s1);
        StoreFull(call, row, 2, s2);
        StoreLast(call, row, 3, s3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreFull(in TileCall call, int row, int vector, TVector sum)
    {
        var output = call.Output + call.OutputOffsets[row] + vector * TOps.Width;
        if (call.Accumulate)
            sum = TOps.Add(TOps.Load(output), sum);
        else if (call.LaneAddends != null)
            sum = TOps.Add(sum, TOps.Add(TOps.Load(call.LaneAddends + vector * TOps.Width), TOps.Broadcast(call.RowAddends[row])));
        else
            sum = TOps.Add(sum, TOps.Broadcast(0f));
        TOps.Store(output, sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreLast(in TileCall call, int row, int vector, TVector sum)
    {
        if (call.LastLanes == TOps.Width)
        {
            StoreFull(call, row, vector, sum);
            return;
        }

        var output = call.Output + call.OutputOffsets[row] + vector * TOps.Width;
        if (call.Accumulate)
            sum = TOps.Add(TOps.LoadPart(output, call.LastLanes), sum);
        else if (call.LaneAddends != null)
            sum = TOps.Add(sum, TOps.Add(TOps.Load(call.LaneAddends + vector * TOps.Width), TOps.Broadcast(call.RowAddends[row])));
        else
            sum = TOps.Add(sum, TOps.Broadcast(0f));
        TOps.StorePart(output, sum, call.LastLanes);
    }
}
