using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace AdderNet.Core.Kernels;

/// <summary>
/// Register tiles of sums over terms: 24 running sums stay in registers while the terms stream by; where a block of terms
/// ends they are added to totals in memory. Every sum takes its terms in order, so the shape of the tile changes no bit. Written
/// out since the compiler keeps only named locals in registers.
/// </summary>
internal static unsafe class RowTiles<TOps, TVector, TStep, TPanel>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
    where TStep : struct, IRowStep<TVector>
    where TPanel : struct, IPanel
{
    /// <summary>6 rows by 4 vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run6x4(in TileCall call)
    {
        if (!TPanel.SumsInPlace)
            TileEnd<TOps, TVector>.Begin(call, 6, 4);
        var ahead = new NextRows<TOps, TVector>(call, 6, 4);
        var inPlace = TPanel.SumsInPlace && call.ValidRows == 6;
        var width = TOps.Width;
        var constant = TOps.Broadcast(TStep.Constant);
        TVector s00 = default, s01 = default, s02 = default, s03 = default;
        TVector s10 = default, s11 = default, s12 = default, s13 = default;
        TVector s20 = default, s21 = default, s22 = default, s23 = default;
        TVector s30 = default, s31 = default, s32 = default, s33 = default;
        TVector s40 = default, s41 = default, s42 = default, s43 = default;
        TVector s50 = default, s51 = default, s52 = default, s53 = default;
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
                var b4 = TOps.Broadcast(r4[k]);
                s40 = TStep.Apply(p0, b4, constant, s40);
                s41 = TStep.Apply(p1, b4, constant, s41);
                s42 = TStep.Apply(p2, b4, constant, s42);
                s43 = TStep.Apply(p3, b4, constant, s43);
                var b5 = TOps.Broadcast(r5[k]);
                s50 = TStep.Apply(p0, b5, constant, s50);
                s51 = TStep.Apply(p1, b5, constant, s51);
                s52 = TStep.Apply(p2, b5, constant, s52);
                s53 = TStep.Apply(p3, b5, constant, s53);
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
                total = TileEnd<TOps, TVector>.Total<TPanel>(call, 4, 4);
                s40 = TileEnd<TOps, TVector>.Flush(total, 0, s40);
                s41 = TileEnd<TOps, TVector>.Flush(total, 1, s41);
                s42 = TileEnd<TOps, TVector>.Flush(total, 2, s42);
                s43 = TileEnd<TOps, TVector>.Flush(total, 3, s43);
                total = TileEnd<TOps, TVector>.Total<TPanel>(call, 5, 4);
                s50 = TileEnd<TOps, TVector>.Flush(total, 0, s50);
                s51 = TileEnd<TOps, TVector>.Flush(total, 1, s51);
                s52 = TileEnd<TOps, TVector>.Flush(total, 2, s52);
                s53 = TileEnd<TOps, TVector>.Flush(total, 3, s53);
            }
        }

        if (inPlace)
            return;
        TileEnd<TOps, TVector>.Store(call, 0, s00, s01, s02, s03);
        TileEnd<TOps, TVector>.Store(call, 1, s10, s11, s12, s13);
        TileEnd<TOps, TVector>.Store(call, 2, s20, s21, s22, s23);
        TileEnd<TOps, TVector>.Store(call, 3, s30, s31, s32, s33);
        TileEnd<TOps, TVector>.Store(call, 4, s40, s41, s42, s43);
        TileEnd<TOps, TVector>.Store(call, 5, s50, s51, s52, s53);
    }

    /// <summary>8 rows by 3 vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run8x3(in TileCall call)
    {
        if (!TPanel.SumsInPlace)
            TileEnd<TOps, TVector>.Begin(call, 8, 3);
        var ahead = new NextRows<TOps, TVector>(call, 8, 3);
        var inPlace = TPanel.SumsInPlace && call.ValidRows == 8;
        var width = TOps.Width;
        var constant = TOps.Broadcast(TStep.Constant);
        TVector s00 = default, s01 = default, s02 = default;
        TVector s10 = default, s11 = default, s12 = default;
        TVector s20 = default, s21 = default, s22 = default;
        TVector s30 = default, s31 = default, s32 = default;
        TVector s40 = default, s41 = default, s42 = default;
        TVector s50 = default, s51 = default, s52 = default;
        TVector s60 = default, s61 = default, s62 = default;
        TVector s70 = default, s71 = default, s72 = default;
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
            float* r6 = rows + call.RowOffsets[6];
            float* r7 = rows + call.RowOffsets[7];
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
                if (!TPanel.HasTable)
                    panel += stride;
                var b0 = TOps.Broadcast(r0[k]);
                s00 = TStep.Apply(p0, b0, constant, s00);
                s01 = TStep.Apply(p1, b0, constant, s01);
                s02 = TStep.Apply(p2, b0, constant, s02);
                var b1 = TOps.Broadcast(r1[k]);
                s10 = TStep.Apply(p0, b1, constant, s10);
                s11 = TStep.Apply(p1, b1, constant, s11);
                s12 = TStep.Apply(p2, b1, constant, s12);
                var b2 = TOps.Broadcast(r2[k]);
                s20 = TStep.Apply(p0, b2, constant, s20);
                s21 = TStep.Apply(p1, b2, constant, s21);
                s22 = TStep.Apply(p2, b2, constant, s22);
                var b3 = TOps.Broadcast(r3[k]);
                s30 = TStep.Apply(p0, b3, constant, s30);
                s31 = TStep.Apply(p1, b3, constant, s31);
                s32 = TStep.Apply(p2, b3, constant, s32);
                var b4 = TOps.Broadcast(r4[k]);
                s40 = TStep.Apply(p0, b4, constant, s40);
                s41 = TStep.Apply(p1, b4, constant, s41);
                s42 = TStep.Apply(p2, b4, constant, s42);
                var b5 = TOps.Broadcast(r5[k]);
                s50 = TStep.Apply(p0, b5, constant, s50);
                s51 = TStep.Apply(p1, b5, constant, s51);
                s52 = TStep.Apply(p2, b5, constant, s52);
                var b6 = TOps.Broadcast(r6[k]);
                s60 = TStep.Apply(p0, b6, constant, s60);
                s61 = TStep.Apply(p1, b6, constant, s61);
                s62 = TStep.Apply(p2, b6, constant, s62);
                var b7 = TOps.Broadcast(r7[k]);
                s70 = TStep.Apply(p0, b7, constant, s70);
                s71 = TStep.Apply(p1, b7, constant, s71);
                s72 = TStep.Apply(p2, b7, constant, s72);
            }

            if (segment->EndsBlock != 0 && (inPlace || segment + 1 < end))
            {
                float* total = TileEnd<TOps, TVector>.Total<TPanel>(call, 0, 3);
                s00 = TileEnd<TOps, TVector>.Flush(total, 0, s00);
                s01 = TileEnd<TOps, TVector>.Flush(total, 1, s01);
                s02 = TileEnd<TOps, TVector>.Flush(total, 2, s02);
                total = TileEnd<TOps, TVector>.Total<TPanel>(call, 1, 3);
                s10 = TileEnd<TOps, TVector>.Flush(total, 0, s10);
                s11 = TileEnd<TOps, TVector>.Flush(total, 1, s11);
                s12 = TileEnd<TOps, TVector>.Flush(total, 2, s12);
                total = TileEnd<TOps, TVector>.Total<TPanel>(call, 2, 3);
                s20 = TileEnd<TOps, TVector>.Flush(total, 0, s20);
                s21 = TileEnd<TOps, TVector>.Flush(total, 1, s21);
                s22 = TileEnd<TOps, TVector>.Flush(total, 2, s22);
                total = TileEnd<TOps, TVector>.Total<TPanel>(call, 3, 3);
                s30 = TileEnd<TOps, TVector>.Flush(total, 0, s30);
                s31 = TileEnd<TOps, TVector>.Flush(total, 1, s31);
                s32 = TileEnd<TOps, TVector>.Flush(total, 2, s32);
                total = TileEnd<TOps, TVector>.Total<TPanel>(call, 4, 3);
                s40 = TileEnd<TOps, TVector>.Flush(total, 0, s40);
                s41 = TileEnd<TOps, TVector>.Flush(total, 1, s41);
                s42 = TileEnd<TOps, TVector>.Flush(total, 2, s42);
                total = TileEnd<TOps, TVector>.Total<TPanel>(call, 5, 3);
                s50 = TileEnd<TOps, TVector>.Flush(total, 0, s50);
                s51 = TileEnd<TOps, TVector>.Flush(total, 1, s51);
                s52 = TileEnd<TOps, TVector>.Flush(total, 2, s52);
                total = TileEnd<TOps, TVector>.Total<TPanel>(call, 6, 3);
                s60 = TileEnd<TOps, TVector>.Flush(total, 0, s60);
                s61 = TileEnd<TOps, TVector>.Flush(total, 1, s61);
                s62 = TileEnd<TOps, TVector>.Flush(total, 2, s62);
                total = TileEnd<TOps, TVector>.Total<TPanel>(call, 7, 3);
                s70 = TileEnd<TOps, TVector>.Flush(total, 0, s70);
                s71 = TileEnd<TOps, TVector>.Flush(total, 1, s71);
                s72 = TileEnd<TOps, TVector>.Flush(total, 2, s72);
            }
        }

        if (inPlace)
            return;
        TileEnd<TOps, TVector>.Store(call, 0, s00, s01, s02);
        TileEnd<TOps, TVector>.Store(call, 1, s10, s11, s12);
        TileEnd<TOps, TVector>.Store(call, 2, s20, s21, s22);
        TileEnd<TOps, TVector>.Store(call, 3, s30, s31, s32);
        TileEnd<TOps, TVector>.Store(call, 4, s40, s41, s42);
        TileEnd<TOps, TVector>.Store(call, 5, s50, s51, s52);
        TileEnd<TOps, TVector>.Store(call, 6, s60, s61, s62);
        TileEnd<TOps, TVector>.Store(call, 7, s70, s71, s72);
    }
}
