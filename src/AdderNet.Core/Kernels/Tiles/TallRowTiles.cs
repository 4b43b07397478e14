using System.Runtime.CompilerServices;

namespace AdderNet.Core.Kernels;

/// <summary>
/// As <see cref="RowTiles{TOps, TVector, TStep, TPanel, TSize}"/>, with many rows by one vector. Each row's element is used once, so that
/// the arithmetic takes it from memory itself. Adder terms run at nearly the rate of multiply-adds that way; with elements spread into
/// registers first they reach three quarters of it, as they do where all operands are registers (docs/performance.md).
/// </summary>
internal static unsafe class TallRowTiles<TOps, TVector, TStep>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
    where TStep : struct, IRowStep<TVector>
{
    /// <summary>12 rows by 1 vector.</summary>
    /// <param name="call">Has all lanes of the vector.</param>
    /// <param name="rows">Rows, a multiple of 12.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run12x1(in TileCall call, int rows)
    {
        var constant = TOps.Broadcast(TStep.Constant);
        var stride = call.PanelStride;
        var end = call.Segments + call.SegmentCount;
        float* output = call.Output;
        for (nint first = 0; first < rows; first += 12)
        {
            TilePrefetch.LaterRows(call, first);
            int* sources = call.RowOffsets + first;
            int* places = call.OutputOffsets + first;
            TVector s0 = default, t0 = default;
            TVector s1 = default, t1 = default;
            TVector s2 = default, t2 = default;
            TVector s3 = default, t3 = default;
            TVector s4 = default, t4 = default;
            TVector s5 = default, t5 = default;
            TVector s6 = default, t6 = default;
            TVector s7 = default, t7 = default;
            TVector s8 = default, t8 = default;
            TVector s9 = default, t9 = default;
            TVector s10 = default, t10 = default;
            TVector s11 = default, t11 = default;
            if (call.LaneAddends != null)
            {
                float* addends = call.RowAddends + first;
                var lanes = TOps.Load(call.LaneAddends);
                t0 = TOps.Add(lanes, TOps.Broadcast(addends[0]));
                t1 = TOps.Add(lanes, TOps.Broadcast(addends[1]));
                t2 = TOps.Add(lanes, TOps.Broadcast(addends[2]));
                t3 = TOps.Add(lanes, TOps.Broadcast(addends[3]));
                t4 = TOps.Add(lanes, TOps.Broadcast(addends[4]));
                t5 = TOps.Add(lanes, TOps.Broadcast(addends[5]));
                t6 = TOps.Add(lanes, TOps.Broadcast(addends[6]));
                t7 = TOps.Add(lanes, TOps.Broadcast(addends[7]));
                t8 = TOps.Add(lanes, TOps.Broadcast(addends[8]));
                t9 = TOps.Add(lanes, TOps.Broadcast(addends[9]));
                t10 = TOps.Add(lanes, TOps.Broadcast(addends[10]));
                t11 = TOps.Add(lanes, TOps.Broadcast(addends[11]));
            }

            for (var segment = call.Segments; segment < end; segment++)
            {
                float* source = call.Rows + segment->Offset;
                float* r0 = source + sources[0];
                float* r1 = source + sources[1];
                float* r2 = source + sources[2];
                float* r3 = source + sources[3];
                float* r4 = source + sources[4];
                float* r5 = source + sources[5];
                float* r6 = source + sources[6];
                float* r7 = source + sources[7];
                float* r8 = source + sources[8];
                float* r9 = source + sources[9];
                float* r10 = source + sources[10];
                float* r11 = source + sources[11];
                float* panel = call.Panel + segment->FirstTerm * stride;
                nint length = segment->Length;
                for (nint k = 0; k < length; k++)
                {
                    var p = TOps.Load(panel);
                    panel += stride;
                    s0 = TStep.Apply(p, TOps.Broadcast(r0[k]), constant, s0);
                    s1 = TStep.Apply(p, TOps.Broadcast(r1[k]), constant, s1);
                    s2 = TStep.Apply(p, TOps.Broadcast(r2[k]), constant, s2);
                    s3 = TStep.Apply(p, TOps.Broadcast(r3[k]), constant, s3);
                    s4 = TStep.Apply(p, TOps.Broadcast(r4[k]), constant, s4);
                    s5 = TStep.Apply(p, TOps.Broadcast(r5[k]), constant, s5);
                    s6 = TStep.Apply(p, TOps.Broadcast(r6[k]), constant, s6);
                    s7 = TStep.Apply(p, TOps.Broadcast(r7[k]), constant, s7);
                    s8 = TStep.Apply(p, TOps.Broadcast(r8[k]), constant, s8);
                    s9 = TStep.Apply(p, TOps.Broadcast(r9[k]), constant, s9);
                    s10 = TStep.Apply(p, TOps.Broadcast(r10[k]), constant, s10);
                    s11 = TStep.Apply(p, TOps.Broadcast(r11[k]), constant, s11);
                }

                if (segment->EndsBlock != 0 && segment + 1 < end)
                {
                    (t0, s0) = (TOps.Add(t0, s0), default);
                    (t1, s1) = (TOps.Add(t1, s1), default);
                    (t2, s2) = (TOps.Add(t2, s2), default);
                    (t3, s3) = (TOps.Add(t3, s3), default);
                    (t4, s4) = (TOps.Add(t4, s4), default);
                    (t5, s5) = (TOps.Add(t5, s5), default);
                    (t6, s6) = (TOps.Add(t6, s6), default);
                    (t7, s7) = (TOps.Add(t7, s7), default);
                    (t8, s8) = (TOps.Add(t8, s8), default);
                    (t9, s9) = (TOps.Add(t9, s9), default);
                    (t10, s10) = (TOps.Add(t10, s10), default);
                    (t11, s11) = (TOps.Add(t11, s11), default);
                }
            }

            TileEnd<TOps, TVector>.Finish(call, output + places[0], TOps.Add(t0, s0));
            TileEnd<TOps, TVector>.Finish(call, output + places[1], TOps.Add(t1, s1));
            TileEnd<TOps, TVector>.Finish(call, output + places[2], TOps.Add(t2, s2));
            TileEnd<TOps, TVector>.Finish(call, output + places[3], TOps.Add(t3, s3));
            TileEnd<TOps, TVector>.Finish(call, output + places[4], TOps.Add(t4, s4));
            TileEnd<TOps, TVector>.Finish(call, output + places[5], TOps.Add(t5, s5));
            TileEnd<TOps, TVector>.Finish(call, output + places[6], TOps.Add(t6, s6));
            TileEnd<TOps, TVector>.Finish(call, output + places[7], TOps.Add(t7, s7));
            TileEnd<TOps, TVector>.Finish(call, output + places[8], TOps.Add(t8, s8));
            TileEnd<TOps, TVector>.Finish(call, output + places[9], TOps.Add(t9, s9));
            TileEnd<TOps, TVector>.Finish(call, output + places[10], TOps.Add(t10, s10));
            TileEnd<TOps, TVector>.Finish(call, output + places[11], TOps.Add(t11, s11));
        }
    }
}
