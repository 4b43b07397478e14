using System.Runtime.CompilerServices;

namespace AdderNet.Core.Kernels;

/// <summary>
/// Register tiles of sums over terms: 24 or 12 running sums stay in registers while the terms stream by. Every sum takes its
/// terms in order, so the shape of the tile changes no bit. Written out since the compiler keeps only named locals in registers.
/// </summary>
internal static unsafe class RowTiles<TOps, TVector, TStep>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
    where TStep : struct, IRowStep<TVector>
{
    /// <summary>6 rows by 4 vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run6x4(in TileCall call)
    {
        var width = TOps.Width;
        var constant = TOps.Broadcast(TStep.Constant);
        TVector s00 = default, s01 = default, s02 = default, s03 = default;
        TVector s10 = default, s11 = default, s12 = default, s13 = default;
        TVector s20 = default, s21 = default, s22 = default, s23 = default;
        TVector s30 = default, s31 = default, s32 = default, s33 = default;
        TVector s40 = default, s41 = default, s42 = default, s43 = default;
        TVector s50 = default, s51 = default, s52 = default, s53 = default;
        var stride = call.PanelStride;
        for (var segment = call.Segments; segment < call.Segments + call.SegmentCount; segment++)
        {
            float* rows = call.Rows + segment->Offset;
            float* r0 = rows + call.RowOffsets[0];
            float* r1 = rows + call.RowOffsets[1];
            float* r2 = rows + call.RowOffsets[2];
            float* r3 = rows + call.RowOffsets[3];
            float* r4 = rows + call.RowOffsets[4];
            float* r5 = rows + call.RowOffsets[5];
            float* panel = call.Panel + segment->FirstTerm * stride;
            nint length = segment->Length;
            for (nint k = 0; k < length; k++)
            {
                var p0 = TOps.Load(panel);
                var p1 = TOps.Load(panel + width);
                var p2 = TOps.Load(panel + 2 * width);
                var p3 = TOps.Load(panel + 3 * width);
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
        }

        TileEnd<TOps, TVector>.Store(call, 0, s00, s01, s02, s03);
        if (call.ValidRows > 1)
            TileEnd<TOps, TVector>.Store(call, 1, s10, s11, s12, s13);
        if (call.ValidRows > 2)
            TileEnd<TOps, TVector>.Store(call, 2, s20, s21, s22, s23);
        if (call.ValidRows > 3)
            TileEnd<TOps, TVector>.Store(call, 3, s30, s31, s32, s33);
        if (call.ValidRows > 4)
            TileEnd<TOps, TVector>.Store(call, 4, s40, s41, s42, s43);
        if (call.ValidRows > 5)
            TileEnd<TOps, TVector>.Store(call, 5, s50, s51, s52, s53);
    }

    /// <summary>6 rows by 2 vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run6x2(in TileCall call)
    {
        var width = TOps.Width;
        var constant = TOps.Broadcast(TStep.Constant);
        TVector s00 = default, s01 = default;
        TVector s10 = default, s11 = default;
        TVector s20 = default, s21 = default;
        TVector s30 = default, s31 = default;
        TVector s40 = default, s41 = default;
        TVector s50 = default, s51 = default;
        var stride = call.PanelStride;
        for (var segment = call.Segments; segment < call.Segments + call.SegmentCount; segment++)
        {
            float* rows = call.Rows + segment->Offset;
            float* r0 = rows + call.RowOffsets[0];
            float* r1 = rows + call.RowOffsets[1];
            float* r2 = rows + call.RowOffsets[2];
            float* r3 = rows + call.RowOffsets[3];
            float* r4 = rows + call.RowOffsets[4];
            float* r5 = rows + call.RowOffsets[5];
            float* panel = call.Panel + segment->FirstTerm * stride;
            nint length = segment->Length;
            for (nint k = 0; k < length; k++)
            {
                var p0 = TOps.Load(panel);
                var p1 = TOps.Load(panel + width);
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
        }

        TileEnd<TOps, TVector>.Store(call, 0, s00, s01);
        if (call.ValidRows > 1)
            TileEnd<TOps, TVector>.Store(call, 1, s10, s11);
        if (call.ValidRows > 2)
            TileEnd<TOps, TVector>.Store(call, 2, s20, s21);
        if (call.ValidRows > 3)
            TileEnd<TOps, TVector>.Store(call, 3, s30, s31);
        if (call.ValidRows > 4)
            TileEnd<TOps, TVector>.Store(call, 4, s40, s41);
        if (call.ValidRows > 5)
            TileEnd<TOps, TVector>.Store(call, 5, s50, s51);
    }

    /// <summary>12 rows by 1 vector.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run12x1(in TileCall call)
    {
        var width = TOps.Width;
        var constant = TOps.Broadcast(TStep.Constant);
        TVector s00 = default;
        TVector s10 = default;
        TVector s20 = default;
        TVector s30 = default;
        TVector s40 = default;
        TVector s50 = default;
        TVector s60 = default;
        TVector s70 = default;
        TVector s80 = default;
        TVector s90 = default;
        TVector s100 = default;
        TVector s110 = default;
        var stride = call.PanelStride;
        for (var segment = call.Segments; segment < call.Segments + call.SegmentCount; segment++)
        {
            float* rows = call.Rows + segment->Offset;
            float* r0 = rows + call.RowOffsets[0];
            float* r1 = rows + call.RowOffsets[1];
            float* r2 = rows + call.RowOffsets[2];
            float* r3 = rows + call.RowOffsets[3];
            float* r4 = rows + call.RowOffsets[4];
            float* r5 = rows + call.RowOffsets[5];
            float* r6 = rows + call.RowOffsets[6];
            float* r7 = rows + call.RowOffsets[7];
            float* r8 = rows + call.RowOffsets[8];
            float* r9 = rows + call.RowOffsets[9];
            float* r10 = rows + call.RowOffsets[10];
            float* r11 = rows + call.RowOffsets[11];
            float* panel = call.Panel + segment->FirstTerm * stride;
            nint length = segment->Length;
            for (nint k = 0; k < length; k++)
            {
                var p0 = TOps.Load(panel);
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
                var b6 = TOps.Broadcast(r6[k]);
                s60 = TStep.Apply(p0, b6, constant, s60);
                var b7 = TOps.Broadcast(r7[k]);
                s70 = TStep.Apply(p0, b7, constant, s70);
                var b8 = TOps.Broadcast(r8[k]);
                s80 = TStep.Apply(p0, b8, constant, s80);
                var b9 = TOps.Broadcast(r9[k]);
                s90 = TStep.Apply(p0, b9, constant, s90);
                var b10 = TOps.Broadcast(r10[k]);
                s100 = TStep.Apply(p0, b10, constant, s100);
                var b11 = TOps.Broadcast(r11[k]);
                s110 = TStep.Apply(p0, b11, constant, s110);
            }
        }

        TileEnd<TOps, TVector>.Store(call, 0, s00);
        if (call.ValidRows > 1)
            TileEnd<TOps, TVector>.Store(call, 1, s10);
        if (call.ValidRows > 2)
            TileEnd<TOps, TVector>.Store(call, 2, s20);
        if (call.ValidRows > 3)
            TileEnd<TOps, TVector>.Store(call, 3, s30);
        if (call.ValidRows > 4)
            TileEnd<TOps, TVector>.Store(call, 4, s40);
        if (call.ValidRows > 5)
            TileEnd<TOps, TVector>.Store(call, 5, s50);
        if (call.ValidRows > 6)
            TileEnd<TOps, TVector>.Store(call, 6, s60);
        if (call.ValidRows > 7)
            TileEnd<TOps, TVector>.Store(call, 7, s70);
        if (call.ValidRows > 8)
            TileEnd<TOps, TVector>.Store(call, 8, s80);
        if (call.ValidRows > 9)
            TileEnd<TOps, TVector>.Store(call, 9, s90);
        if (call.ValidRows > 10)
            TileEnd<TOps, TVector>.Store(call, 10, s100);
        if (call.ValidRows > 11)
            TileEnd<TOps, TVector>.Store(call, 11, s110);
    }
}
