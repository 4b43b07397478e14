using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace AdderNet.Core.Kernels;

/// <summary>
/// As <see cref="RowTiles{TOps, TVector, TStep, TPanel, TSize}"/> with sums in place, where the elements of the rows lie side by side, as those of neighbouring
/// filters do: one address serves them all, so that more rows than there are address registers cost no reloading of addresses.
/// </summary>
internal static unsafe class NeighbourTiles<TOps, TVector, TStep, TPanel>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
    where TStep : struct, IRowStep<TVector>
    where TPanel : struct, IPanel
{
    /// <summary>Rows of the tile.</summary>
    public const int Rows = 16;

    /// <summary>16 rows by 1 vector, all rows to store.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run16x1(in TileCall call)
    {
        var ahead = new NextRows<TOps, TVector>(call, Rows, 1);
        var constant = TOps.Broadcast(TStep.Constant);
        TVector s0 = default, s1 = default, s2 = default, s3 = default;
        TVector s4 = default, s5 = default, s6 = default, s7 = default;
        TVector s8 = default, s9 = default, s10 = default, s11 = default;
        TVector s12 = default, s13 = default, s14 = default, s15 = default;
        var stride = call.PanelStride;
        var step = call.RowStride;
        var end = call.Segments + call.SegmentCount;
        int* places = call.Ahead.Places;
        float* scattered = call.Ahead.Scattered;
        float* run = call.Ahead.Run;
        for (var segment = call.Segments; segment < end; segment++)
        {
            ahead.Ask(call);
            float* row = call.Rows + segment->Offset + call.RowOffsets[0];
            int* table = call.PanelTable + segment->FirstTerm;
            float* panel = call.Panel + segment->FirstTerm * stride;
            for (var endRow = row + segment->Length * step; row < endRow; row += step)
            {
                if (TPanel.ReadsAhead && Sse.IsSupported)
                {
                    if (places != null)
                        Sse.Prefetch1(scattered + *places++);
                    if (run != null)
                    {
                        Sse.Prefetch1(run);
                        run += ReadAhead.Line;
                    }
                }

                if (TPanel.HasTable)
                    panel = call.Panel + *table++;
                var p = TOps.Load(panel);
                if (!TPanel.HasTable)
                    panel += stride;
                s0 = TStep.Apply(p, TOps.Broadcast(row[0]), constant, s0);
                s1 = TStep.Apply(p, TOps.Broadcast(row[1]), constant, s1);
                s2 = TStep.Apply(p, TOps.Broadcast(row[2]), constant, s2);
                s3 = TStep.Apply(p, TOps.Broadcast(row[3]), constant, s3);
                s4 = TStep.Apply(p, TOps.Broadcast(row[4]), constant, s4);
                s5 = TStep.Apply(p, TOps.Broadcast(row[5]), constant, s5);
                s6 = TStep.Apply(p, TOps.Broadcast(row[6]), constant, s6);
                s7 = TStep.Apply(p, TOps.Broadcast(row[7]), constant, s7);
                s8 = TStep.Apply(p, TOps.Broadcast(row[8]), constant, s8);
                s9 = TStep.Apply(p, TOps.Broadcast(row[9]), constant, s9);
                s10 = TStep.Apply(p, TOps.Broadcast(row[10]), constant, s10);
                s11 = TStep.Apply(p, TOps.Broadcast(row[11]), constant, s11);
                s12 = TStep.Apply(p, TOps.Broadcast(row[12]), constant, s12);
                s13 = TStep.Apply(p, TOps.Broadcast(row[13]), constant, s13);
                s14 = TStep.Apply(p, TOps.Broadcast(row[14]), constant, s14);
                s15 = TStep.Apply(p, TOps.Broadcast(row[15]), constant, s15);
            }

            if (segment->EndsBlock == 0 && segment + 1 < end)
                continue;
            float* block = TileEnd<TOps, TVector>.BlockOf<TPanel>(call, segment);
            s0 = TileEnd<TOps, TVector>.Flush(block + call.OutputOffsets[0], 0, s0);
            s1 = TileEnd<TOps, TVector>.Flush(block + call.OutputOffsets[1], 0, s1);
            s2 = TileEnd<TOps, TVector>.Flush(block + call.OutputOffsets[2], 0, s2);
            s3 = TileEnd<TOps, TVector>.Flush(block + call.OutputOffsets[3], 0, s3);
            s4 = TileEnd<TOps, TVector>.Flush(block + call.OutputOffsets[4], 0, s4);
            s5 = TileEnd<TOps, TVector>.Flush(block + call.OutputOffsets[5], 0, s5);
            s6 = TileEnd<TOps, TVector>.Flush(block + call.OutputOffsets[6], 0, s6);
            s7 = TileEnd<TOps, TVector>.Flush(block + call.OutputOffsets[7], 0, s7);
            s8 = TileEnd<TOps, TVector>.Flush(block + call.OutputOffsets[8], 0, s8);
            s9 = TileEnd<TOps, TVector>.Flush(block + call.OutputOffsets[9], 0, s9);
            s10 = TileEnd<TOps, TVector>.Flush(block + call.OutputOffsets[10], 0, s10);
            s11 = TileEnd<TOps, TVector>.Flush(block + call.OutputOffsets[11], 0, s11);
            s12 = TileEnd<TOps, TVector>.Flush(block + call.OutputOffsets[12], 0, s12);
            s13 = TileEnd<TOps, TVector>.Flush(block + call.OutputOffsets[13], 0, s13);
            s14 = TileEnd<TOps, TVector>.Flush(block + call.OutputOffsets[14], 0, s14);
            s15 = TileEnd<TOps, TVector>.Flush(block + call.OutputOffsets[15], 0, s15);
        }
    }
}
