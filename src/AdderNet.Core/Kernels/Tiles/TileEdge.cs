using System.Runtime.CompilerServices;

namespace AdderNet.Core.Kernels;

/// <summary>
/// Tiles of which not all rows or lanes are wanted: they run on copies, so that whole tiles, which are nearly all, need not ask.
/// </summary>
internal static unsafe class TileEdge<TOps, TVector, TTile>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
    where TTile : struct, IWholeTile
{
    /// <summary>Rows times vectors of the largest tile.</summary>
    private const int MostVectors = 12;

    /// <summary>Runs the rows of a call from one of them on.</summary>
    /// <param name="vectors">Vectors side by side.</param>
    /// <param name="call">The call.</param>
    /// <param name="first">The first row.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Run(int vectors, in TileCall call, int first)
    {
        var rows = TTile.Rows(vectors);
        var memory = stackalloc float[2 * MostVectors * TOps.Width + Pinned.LineBytes / sizeof(float)];
        var output = Workspace.Aligned(memory);
        var own = output + MostVectors * TOps.Width;
        var places = stackalloc int[3 * MostVectors];
        for (var row = 0; row < 3 * MostVectors; row++)
            places[row] = Math.Min(row, rows - 1) * vectors * TOps.Width;
        var whole = call;
        whole.Output = output;
        whole.OutputOffsets = places;
        whole.LastLanes = TOps.Width;
        whole.PastCaches = false;
        whole.ClearedCount = 0;
        whole.LaterSource = null;
        whole.LaterOutputs = null;
        if (call.Own != null)
            whole.Own = own;
        for (; first < call.ValidRows; first += rows)
        {
            whole.RowOffsets = call.RowOffsets + first;
            whole.RowAddends = call.RowAddends + first;
            var valid = Math.Min(rows, call.ValidRows - first);
            for (var row = 0; row < rows; row++)
            {
                var place = call.OutputOffsets[first + Math.Min(row, valid - 1)];
                if (call.Own != null)
                    Copy(call.Own + place, own + places[row], vectors, call.LastLanes, TOps.Width);
                if (call.Accumulate)
                    Copy(call.Output + place, output + places[row], vectors, call.LastLanes, TOps.Width);
            }

            TTile.RunWhole(vectors, whole, rows);
            for (var row = 0; row < valid; row++)
                Copy(output + places[row], call.Output + call.OutputOffsets[first + row], vectors, TOps.Width, call.LastLanes);
        }
    }

    /// <summary>Copies a row's vectors, of the last one as many lanes as are there to read or wanted.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy(float* from, float* to, int vectors, int readLanes, int writtenLanes)
    {
        for (var vector = 1; vector < vectors; vector++, from += TOps.Width, to += TOps.Width)
            TOps.Store(to, TOps.Load(from));
        var last = readLanes == TOps.Width ? TOps.Load(from) : TOps.LoadPart(from, readLanes);
        if (writtenLanes == TOps.Width)
            TOps.Store(to, last);
        else
            TOps.StorePart(to, last, writtenLanes);
    }
}
