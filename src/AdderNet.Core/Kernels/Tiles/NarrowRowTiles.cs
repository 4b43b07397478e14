using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace AdderNet.Core.Kernels;

/// <summary>
/// As <see cref="RowTiles{TOps, TVector, TStep, TPanel}"/>, for few rows or columns and for processors with few registers.
/// </summary>
internal static unsafe class NarrowRowTiles<TOps, TVector, TStep, TPanel>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
    where TStep : struct, IRowStep<TVector>
    where TPanel : struct, IPanel
{
    /// <summary>4 rows by 4 vectors: what 6 rows at a time leave over.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run4x4(in TileCall call)
    {
        if (!TPanel.SumsInPlace)
            TileEnd<TOps, TVector>.Begin(call, 4, 4);
        var ahead = new NextRows<TOps, TVector>(call, 4, 4);
        var inPlace = TPanel.SumsInPlace && call.ValidRows == 4;
        var width = TOps.Width;
        var constant = TOps.Broadcast(TStep.Constant);
        TVector s00 = default, s01 = default, s02 = default, s03 = default;
        TVector s10 = default, s11 = default, s12 = default, s13 = default;
        TVector s20 = default, s21 = default, s22 = default, s23 = default;
        TVector s30 = default, s31 = default, s32 = default, s33 = default;
        var stride = call.PanelStride;
        var step = call.RowStride;
        var end = call.Segments + call.SegmentCount;
        int* places = call.Ahead.Places;
        float* scattered = call.Ahead.Scattered;
        float* run = call.Ahead.Run;
        nint runStep = call.Ahead.RunStep;
        for (var segment = call.Segments; segment < end; segment++)
        {
            ahead.Ask(call);
            float* rows = call.Rows + segment->Offset;
            float* r0 = rows + call.RowOffsets[0];
            float* r1 = rows + call.RowOffsets[1];
            float* r2 = rows + call.RowOffsets[2];
            float* r3 = rows + call.RowOffsets[3];
            int* table = call.PanelTable + segment->FirstTerm;
            float* panel = call.Panel + segment->FirstTerm * stride;
            nint length = segment->Length * step;
            for (nint k = 0; k < length; k += step)
            {
                if (TPanel.ReadsAhead && Sse.IsSupported)
                {
                    Sse.Prefetch1(scattered + *places++);
                    Sse.Prefetch1(run);
                    run += runStep;
                }

                if (TPanel.HasTable)
                    panel = call.Panel + *table++;
                var p0 = TOps.Load(panel);
                var p1 = TOps.Load(panel + width);
                var p2 = TOps.Load(panel + 2 * width);
                var p3 = TOps.Load(panel + 3 * width);
                if (!TPanel.HasTable)
                    panel += stride;
                var b0 = TOps.Broadcast(r0[k]);
                s00 = TStep.Apply(p0, b0, constant, s00);
                s01 = TStep.Apply(p1, b0, constant, s01);
                s02 = TStep.Apply(p2, b0, constant, s02);
                s03 = TStep.Apply(p3, b0, constant, s03);
                var b1 = TOps.Broadcast(r1[k]);
                s10 = TStep.Apply(p0, b1, constant, s10);
                s11 = TStep.Apply(p1, b1, constant, s11);
                s12 = TStep.Apply(p2, b1, constant, s12);
                s13 = TStep.Apply(p3, b1, constant, s13);
                var b2 = TOps.Broadcast(r2[k]);
                s20 = TStep.Apply(p0, b2, constant, s20);
                s21 = TStep.Apply(p1, b2, constant, s21);
                s22 = TStep.Apply(p2, b2, constant, s22);
                s23 = TStep.Apply(p3, b2, constant, s23);
                var b3 = TOps.Broadcast(r3[k]);
                s30 = TStep.Apply(p0, b3, constant, s30);
                s31 = TStep.Apply(p1, b3, constant, s31);
                s32 = TStep.Apply(p2, b3, constant, s32);
                s33 = TStep.Apply(p3, b3, constant, s33);
            }

            if (segment->EndsBlock != 0 && (inPlace || segment + 1 < end))
            {
                float* total = TileEnd<TOps, TVector>.Total<TPanel>(call, 0, 4);
                s00 = TileEnd<TOps, TVector>.Flush(total, 0, s00);
                s01 = TileEnd<TOps, TVector>.Flush(total, 1, s01);
                s02 = TileEnd<TOps, TVector>.Flush(total, 2, s02);
                s03 = TileEnd<TOps, TVector>.Flush(total, 3, s03);
                total = TileEnd<TOps, TVector>.Total<TPanel>(call, 1, 4);
                s10 = TileEnd<TOps, TVector>.Flush(total, 0, s10);
                s11 = TileEnd<TOps, TVector>.Flush(total, 1, s11);
                s12 = TileEnd<TOps, TVector>.Flush(total, 2, s12);
                s13 = TileEnd<TOps, TVector>.Flush(total, 3, s13);
                total = TileEnd<TOps, TVector>.Total<TPanel>(call, 2, 4);
                s20 = TileEnd<TOps, TVector>.Flush(total, 0, s20);
                s21 = TileEnd<TOps, TVector>.Flush(total, 1, s21);
                s22 = TileEnd<TOps, TVector>.Flush(total, 2, s22);
                s23 = TileEnd<TOps, TVector>.Flush(total, 3, s23);
                total = TileEnd<TOps, TVector>.Total<TPanel>(call, 3, 4);
                s30 = TileEnd<TOps, TVector>.Flush(total, 0, s30);
                s31 = TileEnd<TOps, TVector>.Flush(total, 1, s31);
                s32 = TileEnd<TOps, TVector>.Flush(total, 2, s32);
                s33 = TileEnd<TOps, TVector>.Flush(total, 3, s33);
            }
        }

        if (inPlace)
            return;
        TileEnd<TOps, TVector>.Store(call, 0, s00, s01, s02, s03);
        TileEnd<TOps, TVector>.Store(call, 1, s10, s11, s12, s13);
        TileEnd<TOps, TVector>.Store(call, 2, s20, s21, s22, s23);
        TileEnd<TOps, TVector>.Store(call, 3, s30, s31, s32, s33);
    }

    /// <summary>6 rows by 2 vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run6x2(in TileCall call)
    {
        if (!TPanel.SumsInPlace)
            TileEnd<TOps, TVector>.Begin(call, 6, 2);
        var ahead = new NextRows<TOps, TVector>(call, 6, 2);
        var inPlace = TPanel.SumsInPlace && call.ValidRows == 6;
        var width = TOps.Width;
        var constant = TOps.Broadcast(TStep.Constant);
        TVector s00 = default, s01 = default;
        TVector s10 = default, s11 = default;
        TVector s20 = default, s21 = default;
        TVector s30 = default, s31 = default;
        TVector s40 = default, s41 = default;
        TVector s50 = default, s51 = default;
        var stride = call.PanelStride;
        var step = call.RowStride;
        var end = call.Segments + call.SegmentCount;
        int* places = call.Ahead.Places;
        float* scattered = call.Ahead.Scattered;
        float* run = call.Ahead.Run;
        nint runStep = call.Ahead.RunStep;
        for (var segment = call.Segments; segment < end; segment++)
        {
            ahead.Ask(call);
            float* rows = call.Rows + segment->Offset;
            float* r0 = rows + call.RowOffsets[0];
            float* r1 = rows + call.RowOffsets[1];
            float* r2 = rows + call.RowOffsets[2];
            float* r3 = rows + call.RowOffsets[3];
            float* r4 = rows + call.RowOffsets[4];
            float* r5 = rows + call.RowOffsets[5];
            int* table = call.PanelTable + segment->FirstTerm;
            float* panel = call.Panel + segment->FirstTerm * stride;
            nint length = segment->Length * step;
            for (nint k = 0; k < length; k += step)
            {
                if (TPanel.ReadsAhead && Sse.IsSupported)
                {
                    Sse.Prefetch1(scattered + *places++);
                    Sse.Prefetch1(run);
                    run += runStep;
                }

                if (TPanel.HasTable)
                    panel = call.Panel + *table++;
                var p0 = TOps.Load(panel);
                var p1 = TOps.Load(panel + width);
                if (!TPanel.HasTable)
                    panel += stride;
                var b0 = TOps.Broadcast(r0[k]);
                s00 = TStep.Apply(p0, b0, constant, s00);
                s01 = TStep.Apply(p1, b0, constant, s01);
                var b1 = TOps.Broadcast(r1[k]);
                s10 = TStep.Apply(p0, b1, constant, s10);
                s11 = TStep.Apply(p1, b1, constant, s11);
                var b2 = TOps.Broadcast(r2[k]);
                s20 = TStep.Apply(p0, b2, constant, s20);
                s21 = TStep.Apply(p1, b2, constant, s21);
                var b3 = TOps.Broadcast(r3[k]);
                s30 = TStep.Apply(p0, b3, constant, s30);
                s31 = TStep.Apply(p1, b3, constant, s31);
                var b4 = TOps.Broadcast(r4[k]);
                s40 = TStep.Apply(p0, b4, constant, s40);
                s41 = TStep.Apply(p1, b4, constant, s41);
                var b5 = TOps.Broadcast(r5[k]);
                s50 = TStep.Apply(p0, b5, constant, s50);
                s51 = TStep.Apply(p1, b5, constant, s51);
            }

            if (segment->EndsBlock != 0 && (inPlace || segment + 1 < end))
            {
                float* total = TileEnd<TOps, TVector>.Total<TPanel>(call, 0, 2);
                s00 = TileEnd<TOps, TVector>.Flush(total, 0, s00);
                s01 = TileEnd<TOps, TVector>.Flush(total, 1, s01);
                total = TileEnd<TOps, TVector>.Total<TPanel>(call, 1, 2);
                s10 = TileEnd<TOps, TVector>.Flush(total, 0, s10);
                s11 = TileEnd<TOps, TVector>.Flush(total, 1, s11);
                total = TileEnd<TOps, TVector>.Total<TPanel>(call, 2, 2);
                s20 = TileEnd<TOps, TVector>.Flush(total, 0, s20);
                s21 = TileEnd<TOps, TVector>.Flush(total, 1, s21);
                total = TileEnd<TOps, TVector>.Total<TPanel>(call, 3, 2);
                s30 = TileEnd<TOps, TVector>.Flush(total, 0, s30);
                s31 = TileEnd<TOps, TVector>.Flush(total, 1, s31);
                total = TileEnd<TOps, TVector>.Total<TPanel>(call, 4, 2);
                s40 = TileEnd<TOps, TVector>.Flush(total, 0, s40);
                s41 = TileEnd<TOps, TVector>.Flush(total, 1, s41);
                total = TileEnd<TOps, TVector>.Total<TPanel>(call, 5, 2);
                s50 = TileEnd<TOps, TVector>.Flush(total, 0, s50);
                s51 = TileEnd<TOps, TVector>.Flush(total, 1, s51);
            }
        }

        if (inPlace)
            return;
        TileEnd<TOps, TVector>.Store(call, 0, s00, s01);
        TileEnd<TOps, TVector>.Store(call, 1, s10, s11);
        TileEnd<TOps, TVector>.Store(call, 2, s20, s21);
        TileEnd<TOps, TVector>.Store(call, 3, s30, s31);
        TileEnd<TOps, TVector>.Store(call, 4, s40, s41);
        TileEnd<TOps, TVector>.Store(call, 5, s50, s51);
    }

    /// <summary>6 rows by 1 vector.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run6x1(in TileCall call)
    {
        if (!TPanel.SumsInPlace)
            TileEnd<TOps, TVector>.Begin(call, 6, 1);
        var ahead = new NextRows<TOps, TVector>(call, 6, 1);
        var inPlace = TPanel.SumsInPlace && call.ValidRows == 6;
        var width = TOps.Width;
        var constant = TOps.Broadcast(TStep.Constant);
        TVector s00 = default;
        TVector s10 = default;
        TVector s20 = default;
        TVector s30 = default;
        TVector s40 = default;
        TVector s50 = default;
        var stride = call.PanelStride;
        var step = call.RowStride;
        var end = call.Segments + call.SegmentCount;
        int* places = call.Ahead.Places;
        float* scattered = call.Ahead.Scattered;
        float* run = call.Ahead.Run;
        nint runStep = call.Ahead.RunStep;
        for (var segment = call.Segments; segment < end; segment++)
        {
            ahead.Ask(call);
            float* rows = call.Rows + segment->Offset;
            float* r0 = rows + call.RowOffsets[0];
            float* r1 = rows + call.RowOffsets[1];
            float* r2 = rows + call.RowOffsets[2];
            float* r3 = rows + call.RowOffsets[3];
            float* r4 = rows + call.RowOffsets[4];
            float* r5 = rows + call.RowOffsets[5];
            int* table = call.PanelTable + segment->FirstTerm;
            float* panel = call.Panel + segment->FirstTerm * stride;
            nint length = segment->Length * step;
            for (nint k = 0; k < length; k += step)
            {
                if (TPanel.ReadsAhead && Sse.IsSupported)
                {
                    Sse.Prefetch1(scattered + *places++);
                    Sse.Prefetch1(run);
                    run += runStep;
                }

                if (TPanel.HasTable)
                    panel = call.Panel + *table++;
                var p0 = TOps.Load(panel);
                if (!TPanel.HasTable)
                    panel += stride;
                var b0 = TOps.Broadcast(r0[k]);
                s00 = TStep.Apply(p0, b0, constant, s00);
                var b1 = TOps.Broadcast(r1[k]);
                s10 = TStep.Apply(p0, b1, constant, s10);
                var b2 = TOps.Broadcast(r2[k]);
                s20 = TStep.Apply(p0, b2, constant, s20);
                var b3 = TOps.Broadcast(r3[k]);
                s30 = TStep.Apply(p0, b3, constant, s30);
                var b4 = TOps.Broadcast(r4[k]);
                s40 = TStep.Apply(p0, b4, constant, s40);
                var b5 = TOps.Broadcast(r5[k]);
                s50 = TStep.Apply(p0, b5, constant, s50);
            }

            if (segment->EndsBlock != 0 && (inPlace || segment + 1 < end))
            {
                float* total = TileEnd<TOps, TVector>.Total<TPanel>(call, 0, 1);
                s00 = TileEnd<TOps, TVector>.Flush(total, 0, s00);
                total = TileEnd<TOps, TVector>.Total<TPanel>(call, 1, 1);
                s10 = TileEnd<TOps, TVector>.Flush(total, 0, s10);
                total = TileEnd<TOps, TVector>.Total<TPanel>(call, 2, 1);
                s20 = TileEnd<TOps, TVector>.Flush(total, 0, s20);
                total = TileEnd<TOps, TVector>.Total<TPanel>(call, 3, 1);
                s30 = TileEnd<TOps, TVector>.Flush(total, 0, s30);
                total = TileEnd<TOps, TVector>.Total<TPanel>(call, 4, 1);
                s40 = TileEnd<TOps, TVector>.Flush(total, 0, s40);
                total = TileEnd<TOps, TVector>.Total<TPanel>(call, 5, 1);
                s50 = TileEnd<TOps, TVector>.Flush(total, 0, s50);
            }
        }

        if (inPlace)
            return;
        TileEnd<TOps, TVector>.Store(call, 0, s00);
        TileEnd<TOps, TVector>.Store(call, 1, s10);
        TileEnd<TOps, TVector>.Store(call, 2, s20);
        TileEnd<TOps, TVector>.Store(call, 3, s30);
        TileEnd<TOps, TVector>.Store(call, 4, s40);
        TileEnd<TOps, TVector>.Store(call, 5, s50);
    }
}
