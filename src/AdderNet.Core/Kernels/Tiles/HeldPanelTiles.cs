using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace AdderNet.Core.Kernels;

/// <summary>
/// As <see cref="TallRowTiles{TOps, TVector, TStep}"/> with so few terms that all vectors of the panel stay in registers while rows pass by:
/// nothing but a row's elements is read. Written out, since the compiler keeps only named locals in registers.
/// </summary>
internal static unsafe class HeldPanelTiles<TOps, TVector, TStep>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
    where TStep : struct, IRowStep<TVector>
{
    /// <summary>Terms of the panel.</summary>
    private const int Terms = 16;

    /// <summary>Rows that are summed side by side.</summary>
    private const int Rows = 6;

    /// <summary>Whether a call is such: one run of so many terms from the addends on, and as many registers as that takes.</summary>
    public static bool Suit(in TileCall call) =>
        TOps.TileVectors == 4 && call.SegmentCount == 1 && call.Segments->Length == Terms && call.LaneAddends != null && !call.Accumulate;

    /// <param name="call">Has all lanes of the vector.</param>
    /// <param name="rows">Rows, a multiple of 12.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(in TileCall call, int rows)
    {
        var constant = TOps.Broadcast(TStep.Constant);
        var lanes = TOps.Load(call.LaneAddends);
        var stride = call.PanelStride;
        float* panel = call.Panel + call.Segments->FirstTerm * stride;
        var p0 = TOps.Load(panel);
        var p1 = TOps.Load(panel + stride);
        var p2 = TOps.Load(panel + 2 * stride);
        var p3 = TOps.Load(panel + 3 * stride);
        var p4 = TOps.Load(panel + 4 * stride);
        var p5 = TOps.Load(panel + 5 * stride);
        var p6 = TOps.Load(panel + 6 * stride);
        var p7 = TOps.Load(panel + 7 * stride);
        var p8 = TOps.Load(panel + 8 * stride);
        var p9 = TOps.Load(panel + 9 * stride);
        var p10 = TOps.Load(panel + 10 * stride);
        var p11 = TOps.Load(panel + 11 * stride);
        var p12 = TOps.Load(panel + 12 * stride);
        var p13 = TOps.Load(panel + 13 * stride);
        var p14 = TOps.Load(panel + 14 * stride);
        var p15 = TOps.Load(panel + 15 * stride);
        float* source = call.Rows + call.Segments->Offset;
        float* later = call.LaterSource == null ? source : call.LaterSource + call.Segments->Offset;
        float* output = call.Output;
        float* addends = call.RowAddends;
        int* sources = call.RowOffsets;
        int* laterRows = call.LaterSource == null ? call.RowOffsets : call.LaterRows;
        int* places = call.OutputOffsets;
        for (nint row = 0; row < rows; row += Rows)
        {
            if (Sse.IsSupported)
            {
                Sse.Prefetch0(later + laterRows[row]);
                Sse.Prefetch0(later + laterRows[row + 1]);
                Sse.Prefetch0(later + laterRows[row + 2]);
                Sse.Prefetch0(later + laterRows[row + 3]);
                Sse.Prefetch0(later + laterRows[row + 4]);
                Sse.Prefetch0(later + laterRows[row + 5]);
            }

            float* r0 = source + sources[row];
            float* r1 = source + sources[row + 1];
            float* r2 = source + sources[row + 2];
            float* r3 = source + sources[row + 3];
            float* r4 = source + sources[row + 4];
            float* r5 = source + sources[row + 5];
            TVector s0 = default, s1 = default, s2 = default, s3 = default, s4 = default, s5 = default;
            s0 = TStep.Apply(p0, TOps.Broadcast(r0[0]), constant, s0);
            s1 = TStep.Apply(p0, TOps.Broadcast(r1[0]), constant, s1);
            s2 = TStep.Apply(p0, TOps.Broadcast(r2[0]), constant, s2);
            s3 = TStep.Apply(p0, TOps.Broadcast(r3[0]), constant, s3);
            s4 = TStep.Apply(p0, TOps.Broadcast(r4[0]), constant, s4);
            s5 = TStep.Apply(p0, TOps.Broadcast(r5[0]), constant, s5);
            s0 = TStep.Apply(p1, TOps.Broadcast(r0[1]), constant, s0);
            s1 = TStep.Apply(p1, TOps.Broadcast(r1[1]), constant, s1);
            s2 = TStep.Apply(p1, TOps.Broadcast(r2[1]), constant, s2);
            s3 = TStep.Apply(p1, TOps.Broadcast(r3[1]), constant, s3);
            s4 = TStep.Apply(p1, TOps.Broadcast(r4[1]), constant, s4);
            s5 = TStep.Apply(p1, TOps.Broadcast(r5[1]), constant, s5);
            s0 = TStep.Apply(p2, TOps.Broadcast(r0[2]), constant, s0);
            s1 = TStep.Apply(p2, TOps.Broadcast(r1[2]), constant, s1);
            s2 = TStep.Apply(p2, TOps.Broadcast(r2[2]), constant, s2);
            s3 = TStep.Apply(p2, TOps.Broadcast(r3[2]), constant, s3);
            s4 = TStep.Apply(p2, TOps.Broadcast(r4[2]), constant, s4);
            s5 = TStep.Apply(p2, TOps.Broadcast(r5[2]), constant, s5);
            s0 = TStep.Apply(p3, TOps.Broadcast(r0[3]), constant, s0);
            s1 = TStep.Apply(p3, TOps.Broadcast(r1[3]), constant, s1);
            s2 = TStep.Apply(p3, TOps.Broadcast(r2[3]), constant, s2);
            s3 = TStep.Apply(p3, TOps.Broadcast(r3[3]), constant, s3);
            s4 = TStep.Apply(p3, TOps.Broadcast(r4[3]), constant, s4);
            s5 = TStep.Apply(p3, TOps.Broadcast(r5[3]), constant, s5);
            s0 = TStep.Apply(p4, TOps.Broadcast(r0[4]), constant, s0);
            s1 = TStep.Apply(p4, TOps.Broadcast(r1[4]), constant, s1);
            s2 = TStep.Apply(p4, TOps.Broadcast(r2[4]), constant, s2);
            s3 = TStep.Apply(p4, TOps.Broadcast(r3[4]), constant, s3);
            s4 = TStep.Apply(p4, TOps.Broadcast(r4[4]), constant, s4);
            s5 = TStep.Apply(p4, TOps.Broadcast(r5[4]), constant, s5);
            s0 = TStep.Apply(p5, TOps.Broadcast(r0[5]), constant, s0);
            s1 = TStep.Apply(p5, TOps.Broadcast(r1[5]), constant, s1);
            s2 = TStep.Apply(p5, TOps.Broadcast(r2[5]), constant, s2);
            s3 = TStep.Apply(p5, TOps.Broadcast(r3[5]), constant, s3);
            s4 = TStep.Apply(p5, TOps.Broadcast(r4[5]), constant, s4);
            s5 = TStep.Apply(p5, TOps.Broadcast(r5[5]), constant, s5);
            s0 = TStep.Apply(p6, TOps.Broadcast(r0[6]), constant, s0);
            s1 = TStep.Apply(p6, TOps.Broadcast(r1[6]), constant, s1);
            s2 = TStep.Apply(p6, TOps.Broadcast(r2[6]), constant, s2);
            s3 = TStep.Apply(p6, TOps.Broadcast(r3[6]), constant, s3);
            s4 = TStep.Apply(p6, TOps.Broadcast(r4[6]), constant, s4);
            s5 = TStep.Apply(p6, TOps.Broadcast(r5[6]), constant, s5);
            s0 = TStep.Apply(p7, TOps.Broadcast(r0[7]), constant, s0);
            s1 = TStep.Apply(p7, TOps.Broadcast(r1[7]), constant, s1);
            s2 = TStep.Apply(p7, TOps.Broadcast(r2[7]), constant, s2);
            s3 = TStep.Apply(p7, TOps.Broadcast(r3[7]), constant, s3);
            s4 = TStep.Apply(p7, TOps.Broadcast(r4[7]), constant, s4);
            s5 = TStep.Apply(p7, TOps.Broadcast(r5[7]), constant, s5);
            s0 = TStep.Apply(p8, TOps.Broadcast(r0[8]), constant, s0);
            s1 = TStep.Apply(p8, TOps.Broadcast(r1[8]), constant, s1);
            s2 = TStep.Apply(p8, TOps.Broadcast(r2[8]), constant, s2);
            s3 = TStep.Apply(p8, TOps.Broadcast(r3[8]), constant, s3);
            s4 = TStep.Apply(p8, TOps.Broadcast(r4[8]), constant, s4);
            s5 = TStep.Apply(p8, TOps.Broadcast(r5[8]), constant, s5);
            s0 = TStep.Apply(p9, TOps.Broadcast(r0[9]), constant, s0);
            s1 = TStep.Apply(p9, TOps.Broadcast(r1[9]), constant, s1);
            s2 = TStep.Apply(p9, TOps.Broadcast(r2[9]), constant, s2);
            s3 = TStep.Apply(p9, TOps.Broadcast(r3[9]), constant, s3);
            s4 = TStep.Apply(p9, TOps.Broadcast(r4[9]), constant, s4);
            s5 = TStep.Apply(p9, TOps.Broadcast(r5[9]), constant, s5);
            s0 = TStep.Apply(p10, TOps.Broadcast(r0[10]), constant, s0);
            s1 = TStep.Apply(p10, TOps.Broadcast(r1[10]), constant, s1);
            s2 = TStep.Apply(p10, TOps.Broadcast(r2[10]), constant, s2);
            s3 = TStep.Apply(p10, TOps.Broadcast(r3[10]), constant, s3);
            s4 = TStep.Apply(p10, TOps.Broadcast(r4[10]), constant, s4);
            s5 = TStep.Apply(p10, TOps.Broadcast(r5[10]), constant, s5);
            s0 = TStep.Apply(p11, TOps.Broadcast(r0[11]), constant, s0);
            s1 = TStep.Apply(p11, TOps.Broadcast(r1[11]), constant, s1);
            s2 = TStep.Apply(p11, TOps.Broadcast(r2[11]), constant, s2);
            s3 = TStep.Apply(p11, TOps.Broadcast(r3[11]), constant, s3);
            s4 = TStep.Apply(p11, TOps.Broadcast(r4[11]), constant, s4);
            s5 = TStep.Apply(p11, TOps.Broadcast(r5[11]), constant, s5);
            s0 = TStep.Apply(p12, TOps.Broadcast(r0[12]), constant, s0);
            s1 = TStep.Apply(p12, TOps.Broadcast(r1[12]), constant, s1);
            s2 = TStep.Apply(p12, TOps.Broadcast(r2[12]), constant, s2);
            s3 = TStep.Apply(p12, TOps.Broadcast(r3[12]), constant, s3);
            s4 = TStep.Apply(p12, TOps.Broadcast(r4[12]), constant, s4);
            s5 = TStep.Apply(p12, TOps.Broadcast(r5[12]), constant, s5);
            s0 = TStep.Apply(p13, TOps.Broadcast(r0[13]), constant, s0);
            s1 = TStep.Apply(p13, TOps.Broadcast(r1[13]), constant, s1);
            s2 = TStep.Apply(p13, TOps.Broadcast(r2[13]), constant, s2);
            s3 = TStep.Apply(p13, TOps.Broadcast(r3[13]), constant, s3);
            s4 = TStep.Apply(p13, TOps.Broadcast(r4[13]), constant, s4);
            s5 = TStep.Apply(p13, TOps.Broadcast(r5[13]), constant, s5);
            s0 = TStep.Apply(p14, TOps.Broadcast(r0[14]), constant, s0);
            s1 = TStep.Apply(p14, TOps.Broadcast(r1[14]), constant, s1);
            s2 = TStep.Apply(p14, TOps.Broadcast(r2[14]), constant, s2);
            s3 = TStep.Apply(p14, TOps.Broadcast(r3[14]), constant, s3);
            s4 = TStep.Apply(p14, TOps.Broadcast(r4[14]), constant, s4);
            s5 = TStep.Apply(p14, TOps.Broadcast(r5[14]), constant, s5);
            s0 = TStep.Apply(p15, TOps.Broadcast(r0[15]), constant, s0);
            s1 = TStep.Apply(p15, TOps.Broadcast(r1[15]), constant, s1);
            s2 = TStep.Apply(p15, TOps.Broadcast(r2[15]), constant, s2);
            s3 = TStep.Apply(p15, TOps.Broadcast(r3[15]), constant, s3);
            s4 = TStep.Apply(p15, TOps.Broadcast(r4[15]), constant, s4);
            s5 = TStep.Apply(p15, TOps.Broadcast(r5[15]), constant, s5);
            TileEnd<TOps, TVector>.Finish(call, output + places[row], TOps.Add(TOps.Add(lanes, TOps.Broadcast(addends[row])), s0));
            TileEnd<TOps, TVector>.Finish(call, output + places[row + 1], TOps.Add(TOps.Add(lanes, TOps.Broadcast(addends[row + 1])), s1));
            TileEnd<TOps, TVector>.Finish(call, output + places[row + 2], TOps.Add(TOps.Add(lanes, TOps.Broadcast(addends[row + 2])), s2));
            TileEnd<TOps, TVector>.Finish(call, output + places[row + 3], TOps.Add(TOps.Add(lanes, TOps.Broadcast(addends[row + 3])), s3));
            TileEnd<TOps, TVector>.Finish(call, output + places[row + 4], TOps.Add(TOps.Add(lanes, TOps.Broadcast(addends[row + 4])), s4));
            TileEnd<TOps, TVector>.Finish(call, output + places[row + 5], TOps.Add(TOps.Add(lanes, TOps.Broadcast(addends[row + 5])), s5));
        }
    }
}
