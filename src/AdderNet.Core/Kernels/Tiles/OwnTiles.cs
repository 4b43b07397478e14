using System.Runtime.CompilerServices;

namespace AdderNet.Core.Kernels;

/// <summary>
/// As <see cref="RowTiles{TOps, TVector, TStep, TPanel, TSize}"/>, where each output has an operand of its own, which stays in a register beside
/// the running sum.
/// </summary>
internal static unsafe class OwnTiles<TOps, TVector, TStep>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
    where TStep : struct, IOwnStep<TVector>
{
    /// <summary>3 rows by 4 vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run3x4(in TileCall call)
    {
        TileEnd<TOps, TVector>.Begin(call, 3, 4);
        TilePrefetch.NextOwn<TOps, TVector>(call, 3, 4);
        var width = TOps.Width;
        var full = call.LastLanes == width;
        var constant = TOps.Broadcast(TStep.Constant);
        int* places = call.OutputOffsets;
        float* o0 = call.Own + places[0];
        var x00 = TOps.Load(o0);
        var x01 = TOps.Load(o0 + width);
        var x02 = TOps.Load(o0 + 2 * width);
        var x03 = full ? TOps.Load(o0 + 3 * width) : TOps.LoadPart(o0 + 3 * width, call.LastLanes);
        float* o1 = call.Own + places[1];
        var x10 = TOps.Load(o1);
        var x11 = TOps.Load(o1 + width);
        var x12 = TOps.Load(o1 + 2 * width);
        var x13 = full ? TOps.Load(o1 + 3 * width) : TOps.LoadPart(o1 + 3 * width, call.LastLanes);
        float* o2 = call.Own + places[2];
        var x20 = TOps.Load(o2);
        var x21 = TOps.Load(o2 + width);
        var x22 = TOps.Load(o2 + 2 * width);
        var x23 = full ? TOps.Load(o2 + 3 * width) : TOps.LoadPart(o2 + 3 * width, call.LastLanes);
        TVector s00 = default, s01 = default, s02 = default, s03 = default;
        TVector s10 = default, s11 = default, s12 = default, s13 = default;
        TVector s20 = default, s21 = default, s22 = default, s23 = default;
        var stride = call.PanelStride;
        var step = call.RowStride;
        var end = call.Segments + call.SegmentCount;
        for (var segment = call.Segments; segment < end; segment++)
        {
            float* rows = call.Rows + segment->Offset;
            float* r0 = rows + call.RowOffsets[0];
            float* r1 = rows + call.RowOffsets[1];
            float* r2 = rows + call.RowOffsets[2];
            float* panel = call.Panel + segment->FirstTerm * stride;
            nint length = segment->Length * step;
            for (nint k = 0; k < length; k += step)
            {
                var p0 = TOps.Load(panel);
                var p1 = TOps.Load(panel + width);
                var p2 = TOps.Load(panel + 2 * width);
                var p3 = TOps.Load(panel + 3 * width);
                panel += stride;
                var b0 = TOps.Broadcast(r0[k]);
                s00 = TStep.Apply(x00, p0, b0, constant, s00);
                s01 = TStep.ApplyOtherwise(x01, p1, b0, constant, s01);
                s02 = TStep.ApplyOtherwise(x02, p2, b0, constant, s02);
                s03 = TStep.Apply(x03, p3, b0, constant, s03);
                var b1 = TOps.Broadcast(r1[k]);
                s10 = TStep.Apply(x10, p0, b1, constant, s10);
                s11 = TStep.ApplyOtherwise(x11, p1, b1, constant, s11);
                s12 = TStep.ApplyOtherwise(x12, p2, b1, constant, s12);
                s13 = TStep.Apply(x13, p3, b1, constant, s13);
                var b2 = TOps.Broadcast(r2[k]);
                s20 = TStep.Apply(x20, p0, b2, constant, s20);
                s21 = TStep.ApplyOtherwise(x21, p1, b2, constant, s21);
                s22 = TStep.ApplyOtherwise(x22, p2, b2, constant, s22);
                s23 = TStep.Apply(x23, p3, b2, constant, s23);
            }

            if (segment->EndsBlock != 0 && segment + 1 < end)
            {
                float* totals = call.Totals;
                s00 = TileEnd<TOps, TVector>.Flush(totals, 0, s00);
                s01 = TileEnd<TOps, TVector>.Flush(totals, 1, s01);
                s02 = TileEnd<TOps, TVector>.Flush(totals, 2, s02);
                s03 = TileEnd<TOps, TVector>.Flush(totals, 3, s03);
                s10 = TileEnd<TOps, TVector>.Flush(totals, 4, s10);
                s11 = TileEnd<TOps, TVector>.Flush(totals, 5, s11);
                s12 = TileEnd<TOps, TVector>.Flush(totals, 6, s12);
                s13 = TileEnd<TOps, TVector>.Flush(totals, 7, s13);
                s20 = TileEnd<TOps, TVector>.Flush(totals, 8, s20);
                s21 = TileEnd<TOps, TVector>.Flush(totals, 9, s21);
                s22 = TileEnd<TOps, TVector>.Flush(totals, 10, s22);
                s23 = TileEnd<TOps, TVector>.Flush(totals, 11, s23);
            }
        }

        TileEnd<TOps, TVector>.Store(call, 0, s00, s01, s02, s03);
        TileEnd<TOps, TVector>.Store(call, 1, s10, s11, s12, s13);
        TileEnd<TOps, TVector>.Store(call, 2, s20, s21, s22, s23);
    }

    /// <summary>3 rows by 2 vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run3x2(in TileCall call)
    {
        TileEnd<TOps, TVector>.Begin(call, 3, 2);
        TilePrefetch.NextOwn<TOps, TVector>(call, 3, 2);
        var width = TOps.Width;
        var full = call.LastLanes == width;
        var constant = TOps.Broadcast(TStep.Constant);
        int* places = call.OutputOffsets;
        float* o0 = call.Own + places[0];
        var x00 = TOps.Load(o0);
        var x01 = full ? TOps.Load(o0 + width) : TOps.LoadPart(o0 + width, call.LastLanes);
        float* o1 = call.Own + places[1];
        var x10 = TOps.Load(o1);
        var x11 = full ? TOps.Load(o1 + width) : TOps.LoadPart(o1 + width, call.LastLanes);
        float* o2 = call.Own + places[2];
        var x20 = TOps.Load(o2);
        var x21 = full ? TOps.Load(o2 + width) : TOps.LoadPart(o2 + width, call.LastLanes);
        TVector s00 = default, s01 = default;
        TVector s10 = default, s11 = default;
        TVector s20 = default, s21 = default;
        var stride = call.PanelStride;
        var step = call.RowStride;
        var end = call.Segments + call.SegmentCount;
        for (var segment = call.Segments; segment < end; segment++)
        {
            float* rows = call.Rows + segment->Offset;
            float* r0 = rows + call.RowOffsets[0];
            float* r1 = rows + call.RowOffsets[1];
            float* r2 = rows + call.RowOffsets[2];
            float* panel = call.Panel + segment->FirstTerm * stride;
            nint length = segment->Length * step;
            for (nint k = 0; k < length; k += step)
            {
                var p0 = TOps.Load(panel);
                var p1 = TOps.Load(panel + width);
                panel += stride;
                var b0 = TOps.Broadcast(r0[k]);
                s00 = TStep.Apply(x00, p0, b0, constant, s00);
                s01 = TStep.ApplyOtherwise(x01, p1, b0, constant, s01);
                var b1 = TOps.Broadcast(r1[k]);
                s10 = TStep.ApplyOtherwise(x10, p0, b1, constant, s10);
                s11 = TStep.Apply(x11, p1, b1, constant, s11);
                var b2 = TOps.Broadcast(r2[k]);
                s20 = TStep.Apply(x20, p0, b2, constant, s20);
                s21 = TStep.ApplyOtherwise(x21, p1, b2, constant, s21);
            }

            if (segment->EndsBlock != 0 && segment + 1 < end)
            {
                float* totals = call.Totals;
                s00 = TileEnd<TOps, TVector>.Flush(totals, 0, s00);
                s01 = TileEnd<TOps, TVector>.Flush(totals, 1, s01);
                s10 = TileEnd<TOps, TVector>.Flush(totals, 2, s10);
                s11 = TileEnd<TOps, TVector>.Flush(totals, 3, s11);
                s20 = TileEnd<TOps, TVector>.Flush(totals, 4, s20);
                s21 = TileEnd<TOps, TVector>.Flush(totals, 5, s21);
            }
        }

        TileEnd<TOps, TVector>.Store(call, 0, s00, s01);
        TileEnd<TOps, TVector>.Store(call, 1, s10, s11);
        TileEnd<TOps, TVector>.Store(call, 2, s20, s21);
    }

    /// <summary>6 rows by 1 vector.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run6x1(in TileCall call)
    {
        TileEnd<TOps, TVector>.Begin(call, 6, 1);
        TilePrefetch.NextOwn<TOps, TVector>(call, 6, 1);
        var width = TOps.Width;
        var full = call.LastLanes == width;
        var constant = TOps.Broadcast(TStep.Constant);
        int* places = call.OutputOffsets;
        float* o0 = call.Own + places[0];
        var x00 = full ? TOps.Load(o0) : TOps.LoadPart(o0, call.LastLanes);
        float* o1 = call.Own + places[1];
        var x10 = full ? TOps.Load(o1) : TOps.LoadPart(o1, call.LastLanes);
        float* o2 = call.Own + places[2];
        var x20 = full ? TOps.Load(o2) : TOps.LoadPart(o2, call.LastLanes);
        float* o3 = call.Own + places[3];
        var x30 = full ? TOps.Load(o3) : TOps.LoadPart(o3, call.LastLanes);
        float* o4 = call.Own + places[4];
        var x40 = full ? TOps.Load(o4) : TOps.LoadPart(o4, call.LastLanes);
        float* o5 = call.Own + places[5];
        var x50 = full ? TOps.Load(o5) : TOps.LoadPart(o5, call.LastLanes);
        TVector s00 = default;
        TVector s10 = default;
        TVector s20 = default;
        TVector s30 = default;
        TVector s40 = default;
        TVector s50 = default;
        var cleared = call.Cleared;
        var clearedCount = call.ClearedCount;
        var stride = call.PanelStride;
        var step = call.RowStride;
        var end = call.Segments + call.SegmentCount;
        for (var segment = call.Segments; segment < end; segment++)
        {
            float* rows = call.Rows + segment->Offset;
            float* r0 = rows + call.RowOffsets[0];
            float* r1 = rows + call.RowOffsets[1];
            float* r2 = rows + call.RowOffsets[2];
            float* r3 = rows + call.RowOffsets[3];
            float* r4 = rows + call.RowOffsets[4];
            float* r5 = rows + call.RowOffsets[5];
            float* panel = call.Panel + segment->FirstTerm * stride;
            nint length = segment->Length * step;
            for (nint k = 0; k < length; k += step)
            {
                var p0 = TOps.Load(panel);
                panel += stride;
                var b0 = TOps.Broadcast(r0[k]);
                s00 = TStep.Apply(x00, p0, b0, constant, s00);
                var b1 = TOps.Broadcast(r1[k]);
                s10 = TStep.ApplyOtherwise(x10, p0, b1, constant, s10);
                var b2 = TOps.Broadcast(r2[k]);
                s20 = TStep.Apply(x20, p0, b2, constant, s20);
                var b3 = TOps.Broadcast(r3[k]);
                s30 = TStep.ApplyOtherwise(x30, p0, b3, constant, s30);
                var b4 = TOps.Broadcast(r4[k]);
                s40 = TStep.Apply(x40, p0, b4, constant, s40);
                var b5 = TOps.Broadcast(r5[k]);
                s50 = TStep.ApplyOtherwise(x50, p0, b5, constant, s50);
                if (k < clearedCount)
                    TOps.StorePastCaches(call.Output + cleared[k], TOps.Broadcast(0f));
            }

            clearedCount = 0;
            if (segment->EndsBlock != 0 && segment + 1 < end)
            {
                float* totals = call.Totals;
                s00 = TileEnd<TOps, TVector>.Flush(totals, 0, s00);
                s10 = TileEnd<TOps, TVector>.Flush(totals, 1, s10);
                s20 = TileEnd<TOps, TVector>.Flush(totals, 2, s20);
                s30 = TileEnd<TOps, TVector>.Flush(totals, 3, s30);
                s40 = TileEnd<TOps, TVector>.Flush(totals, 4, s40);
                s50 = TileEnd<TOps, TVector>.Flush(totals, 5, s50);
            }
        }

        TileEnd<TOps, TVector>.Store(call, 0, s00);
        TileEnd<TOps, TVector>.Store(call, 1, s10);
        TileEnd<TOps, TVector>.Store(call, 2, s20);
        TileEnd<TOps, TVector>.Store(call, 3, s30);
        TileEnd<TOps, TVector>.Store(call, 4, s40);
        TileEnd<TOps, TVector>.Store(call, 5, s50);
    }
}
