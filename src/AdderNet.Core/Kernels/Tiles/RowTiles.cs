using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace AdderNet.Core.Kernels;

/// <summary>
/// Register tiles of sums over terms: the running sums stay in registers while the terms stream by; where a block of terms
/// ends they are added to totals in memory. Every sum takes its terms in order, so the size of the tile changes no bit. Written
/// out for the largest number of rows and of vectors in any of them, since the compiler keeps only named locals in registers; it drops what a size lacks.
/// </summary>
internal static unsafe class RowTiles<TOps, TVector, TStep, TPanel, TSize>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
    where TStep : struct, IRowStep<TVector>
    where TPanel : struct, IPanel
    where TSize : struct, ITileSize
{
    /// <summary>Up to 6 rows by 4 vectors, 8 by 3, 12 by 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(in TileCall call)
    {
        if (!TPanel.SumsInPlace)
            TileEnd<TOps, TVector>.Begin(call, TSize.Rows, TSize.Vectors);
        var ahead = new NextRows<TOps, TVector>(call, TSize.Rows, TSize.Vectors);
        var constant = TOps.Broadcast(TStep.Constant);
        TVector s0_0 = default, s0_1 = default, s0_2 = default, s0_3 = default;
        TVector s1_0 = default, s1_1 = default, s1_2 = default, s1_3 = default;
        TVector s2_0 = default, s2_1 = default, s2_2 = default, s2_3 = default;
        TVector s3_0 = default, s3_1 = default, s3_2 = default, s3_3 = default;
        TVector s4_0 = default, s4_1 = default, s4_2 = default, s4_3 = default;
        TVector s5_0 = default, s5_1 = default, s5_2 = default, s5_3 = default;
        TVector s6_0 = default, s6_1 = default, s6_2 = default;
        TVector s7_0 = default, s7_1 = default, s7_2 = default;
        TVector s8_0 = default;
        TVector s9_0 = default;
        TVector s10_0 = default;
        TVector s11_0 = default;
        var stride = call.PanelStride;
        var step = call.RowStride;
        var end = call.Segments + call.SegmentCount;
        int* places = call.Ahead.Places;
        float* scattered = call.Ahead.Scattered;
        float* run = call.Ahead.Run;
        for (var segment = call.Segments; segment < end; segment++)
        {
            ahead.Ask(call);
            float* rows = call.Rows + segment->Offset;
            float* r0 = rows + call.RowOffsets[0];
            float* r1 = rows + call.RowOffsets[1];
            float* r2 = rows + call.RowOffsets[2];
            float* r3 = rows + call.RowOffsets[3];
            float* r4 = TSize.Rows > 4 ? rows + call.RowOffsets[4] : rows;
            float* r5 = TSize.Rows > 5 ? rows + call.RowOffsets[5] : rows;
            float* r6 = TSize.Rows > 6 ? rows + call.RowOffsets[6] : rows;
            float* r7 = TSize.Rows > 7 ? rows + call.RowOffsets[7] : rows;
            float* r8 = TSize.Rows > 8 ? rows + call.RowOffsets[8] : rows;
            float* r9 = TSize.Rows > 9 ? rows + call.RowOffsets[9] : rows;
            float* r10 = TSize.Rows > 10 ? rows + call.RowOffsets[10] : rows;
            float* r11 = TSize.Rows > 11 ? rows + call.RowOffsets[11] : rows;
            int* table = call.PanelTable + segment->FirstTerm;
            float* panel = call.Panel + segment->FirstTerm * stride;
            nint length = segment->Length * step;
            for (nint k = 0; k < length; k += step)
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
                var p0 = TOps.Load(panel);
                var p1 = TSize.Vectors > 1 ? TOps.Load(panel + TOps.Width) : p0;
                var p2 = TSize.Vectors > 2 ? TOps.Load(panel + 2 * TOps.Width) : p0;
                var p3 = TSize.Vectors > 3 ? TOps.Load(panel + 3 * TOps.Width) : p0;
                if (!TPanel.HasTable)
                    panel += stride;
                var b0 = TOps.Broadcast(r0[k]);
                s0_0 = TStep.Apply(p0, b0, constant, s0_0);
                if (TSize.Vectors > 1)
                    s0_1 = TStep.Apply(p1, b0, constant, s0_1);
                if (TSize.Vectors > 2)
                    s0_2 = TStep.Apply(p2, b0, constant, s0_2);
                if (TSize.Vectors > 3)
                    s0_3 = TStep.Apply(p3, b0, constant, s0_3);
                var b1 = TOps.Broadcast(r1[k]);
                s1_0 = TStep.Apply(p0, b1, constant, s1_0);
                if (TSize.Vectors > 1)
                    s1_1 = TStep.Apply(p1, b1, constant, s1_1);
                if (TSize.Vectors > 2)
                    s1_2 = TStep.Apply(p2, b1, constant, s1_2);
                if (TSize.Vectors > 3)
                    s1_3 = TStep.Apply(p3, b1, constant, s1_3);
                var b2 = TOps.Broadcast(r2[k]);
                s2_0 = TStep.Apply(p0, b2, constant, s2_0);
                if (TSize.Vectors > 1)
                    s2_1 = TStep.Apply(p1, b2, constant, s2_1);
                if (TSize.Vectors > 2)
                    s2_2 = TStep.Apply(p2, b2, constant, s2_2);
                if (TSize.Vectors > 3)
                    s2_3 = TStep.Apply(p3, b2, constant, s2_3);
                var b3 = TOps.Broadcast(r3[k]);
                s3_0 = TStep.Apply(p0, b3, constant, s3_0);
                if (TSize.Vectors > 1)
                    s3_1 = TStep.Apply(p1, b3, constant, s3_1);
                if (TSize.Vectors > 2)
                    s3_2 = TStep.Apply(p2, b3, constant, s3_2);
                if (TSize.Vectors > 3)
                    s3_3 = TStep.Apply(p3, b3, constant, s3_3);
                if (TSize.Rows > 4)
                {
                    var b4 = TOps.Broadcast(r4[k]);
                    s4_0 = TStep.Apply(p0, b4, constant, s4_0);
                    if (TSize.Vectors > 1)
                        s4_1 = TStep.Apply(p1, b4, constant, s4_1);
                    if (TSize.Vectors > 2)
                        s4_2 = TStep.Apply(p2, b4, constant, s4_2);
                    if (TSize.Vectors > 3)
                        s4_3 = TStep.Apply(p3, b4, constant, s4_3);
                }
                if (TSize.Rows > 5)
                {
                    var b5 = TOps.Broadcast(r5[k]);
                    s5_0 = TStep.Apply(p0, b5, constant, s5_0);
                    if (TSize.Vectors > 1)
                        s5_1 = TStep.Apply(p1, b5, constant, s5_1);
                    if (TSize.Vectors > 2)
                        s5_2 = TStep.Apply(p2, b5, constant, s5_2);
                    if (TSize.Vectors > 3)
                        s5_3 = TStep.Apply(p3, b5, constant, s5_3);
                }
                if (TSize.Rows > 6)
                {
                    var b6 = TOps.Broadcast(r6[k]);
                    s6_0 = TStep.Apply(p0, b6, constant, s6_0);
                    if (TSize.Vectors > 1)
                        s6_1 = TStep.Apply(p1, b6, constant, s6_1);
                    if (TSize.Vectors > 2)
                        s6_2 = TStep.Apply(p2, b6, constant, s6_2);
                }
                if (TSize.Rows > 7)
                {
                    var b7 = TOps.Broadcast(r7[k]);
                    s7_0 = TStep.Apply(p0, b7, constant, s7_0);
                    if (TSize.Vectors > 1)
                        s7_1 = TStep.Apply(p1, b7, constant, s7_1);
                    if (TSize.Vectors > 2)
                        s7_2 = TStep.Apply(p2, b7, constant, s7_2);
                }
                if (TSize.Rows > 8)
                {
                    var b8 = TOps.Broadcast(r8[k]);
                    s8_0 = TStep.Apply(p0, b8, constant, s8_0);
                }
                if (TSize.Rows > 9)
                {
                    var b9 = TOps.Broadcast(r9[k]);
                    s9_0 = TStep.Apply(p0, b9, constant, s9_0);
                }
                if (TSize.Rows > 10)
                {
                    var b10 = TOps.Broadcast(r10[k]);
                    s10_0 = TStep.Apply(p0, b10, constant, s10_0);
                }
                if (TSize.Rows > 11)
                {
                    var b11 = TOps.Broadcast(r11[k]);
                    s11_0 = TStep.Apply(p0, b11, constant, s11_0);
                }
            }

            if (segment->EndsBlock != 0 || segment + 1 == end)
            {
                float* block = TileEnd<TOps, TVector>.BlockOf<TPanel>(call, segment);
                float* total0 = TileEnd<TOps, TVector>.Total<TPanel>(call, block, 0, TSize.Vectors);
                s0_0 = TileEnd<TOps, TVector>.Flush(total0, 0, s0_0);
                if (TSize.Vectors > 1)
                    s0_1 = TileEnd<TOps, TVector>.Flush(total0, 1, s0_1);
                if (TSize.Vectors > 2)
                    s0_2 = TileEnd<TOps, TVector>.Flush(total0, 2, s0_2);
                if (TSize.Vectors > 3)
                    s0_3 = TileEnd<TOps, TVector>.Flush(total0, 3, s0_3);
                float* total1 = TileEnd<TOps, TVector>.Total<TPanel>(call, block, 1, TSize.Vectors);
                s1_0 = TileEnd<TOps, TVector>.Flush(total1, 0, s1_0);
                if (TSize.Vectors > 1)
                    s1_1 = TileEnd<TOps, TVector>.Flush(total1, 1, s1_1);
                if (TSize.Vectors > 2)
                    s1_2 = TileEnd<TOps, TVector>.Flush(total1, 2, s1_2);
                if (TSize.Vectors > 3)
                    s1_3 = TileEnd<TOps, TVector>.Flush(total1, 3, s1_3);
                float* total2 = TileEnd<TOps, TVector>.Total<TPanel>(call, block, 2, TSize.Vectors);
                s2_0 = TileEnd<TOps, TVector>.Flush(total2, 0, s2_0);
                if (TSize.Vectors > 1)
                    s2_1 = TileEnd<TOps, TVector>.Flush(total2, 1, s2_1);
                if (TSize.Vectors > 2)
                    s2_2 = TileEnd<TOps, TVector>.Flush(total2, 2, s2_2);
                if (TSize.Vectors > 3)
                    s2_3 = TileEnd<TOps, TVector>.Flush(total2, 3, s2_3);
                float* total3 = TileEnd<TOps, TVector>.Total<TPanel>(call, block, 3, TSize.Vectors);
                s3_0 = TileEnd<TOps, TVector>.Flush(total3, 0, s3_0);
                if (TSize.Vectors > 1)
                    s3_1 = TileEnd<TOps, TVector>.Flush(total3, 1, s3_1);
                if (TSize.Vectors > 2)
                    s3_2 = TileEnd<TOps, TVector>.Flush(total3, 2, s3_2);
                if (TSize.Vectors > 3)
                    s3_3 = TileEnd<TOps, TVector>.Flush(total3, 3, s3_3);
                if (TSize.Rows > 4)
                {
                    float* total4 = TileEnd<TOps, TVector>.Total<TPanel>(call, block, 4, TSize.Vectors);
                    s4_0 = TileEnd<TOps, TVector>.Flush(total4, 0, s4_0);
                    if (TSize.Vectors > 1)
                        s4_1 = TileEnd<TOps, TVector>.Flush(total4, 1, s4_1);
                    if (TSize.Vectors > 2)
                        s4_2 = TileEnd<TOps, TVector>.Flush(total4, 2, s4_2);
                    if (TSize.Vectors > 3)
                        s4_3 = TileEnd<TOps, TVector>.Flush(total4, 3, s4_3);
                }
                if (TSize.Rows > 5)
                {
                    float* total5 = TileEnd<TOps, TVector>.Total<TPanel>(call, block, 5, TSize.Vectors);
                    s5_0 = TileEnd<TOps, TVector>.Flush(total5, 0, s5_0);
                    if (TSize.Vectors > 1)
                        s5_1 = TileEnd<TOps, TVector>.Flush(total5, 1, s5_1);
                    if (TSize.Vectors > 2)
                        s5_2 = TileEnd<TOps, TVector>.Flush(total5, 2, s5_2);
                    if (TSize.Vectors > 3)
                        s5_3 = TileEnd<TOps, TVector>.Flush(total5, 3, s5_3);
                }
                if (TSize.Rows > 6)
                {
                    float* total6 = TileEnd<TOps, TVector>.Total<TPanel>(call, block, 6, TSize.Vectors);
                    s6_0 = TileEnd<TOps, TVector>.Flush(total6, 0, s6_0);
                    if (TSize.Vectors > 1)
                        s6_1 = TileEnd<TOps, TVector>.Flush(total6, 1, s6_1);
                    if (TSize.Vectors > 2)
                        s6_2 = TileEnd<TOps, TVector>.Flush(total6, 2, s6_2);
                }
                if (TSize.Rows > 7)
                {
                    float* total7 = TileEnd<TOps, TVector>.Total<TPanel>(call, block, 7, TSize.Vectors);
                    s7_0 = TileEnd<TOps, TVector>.Flush(total7, 0, s7_0);
                    if (TSize.Vectors > 1)
                        s7_1 = TileEnd<TOps, TVector>.Flush(total7, 1, s7_1);
                    if (TSize.Vectors > 2)
                        s7_2 = TileEnd<TOps, TVector>.Flush(total7, 2, s7_2);
                }
                if (TSize.Rows > 8)
                {
                    float* total8 = TileEnd<TOps, TVector>.Total<TPanel>(call, block, 8, TSize.Vectors);
                    s8_0 = TileEnd<TOps, TVector>.Flush(total8, 0, s8_0);
                }
                if (TSize.Rows > 9)
                {
                    float* total9 = TileEnd<TOps, TVector>.Total<TPanel>(call, block, 9, TSize.Vectors);
                    s9_0 = TileEnd<TOps, TVector>.Flush(total9, 0, s9_0);
                }
                if (TSize.Rows > 10)
                {
                    float* total10 = TileEnd<TOps, TVector>.Total<TPanel>(call, block, 10, TSize.Vectors);
                    s10_0 = TileEnd<TOps, TVector>.Flush(total10, 0, s10_0);
                }
                if (TSize.Rows > 11)
                {
                    float* total11 = TileEnd<TOps, TVector>.Total<TPanel>(call, block, 11, TSize.Vectors);
                    s11_0 = TileEnd<TOps, TVector>.Flush(total11, 0, s11_0);
                }
            }
        }

        if (!TPanel.SumsInPlace)
            TileEnd<TOps, TVector>.Finish(call, TSize.Vectors);
    }
}
