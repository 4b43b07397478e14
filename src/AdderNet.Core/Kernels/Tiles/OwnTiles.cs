using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace AdderNet.Core.Kernels;

/// <summary>
/// As <see cref="RowTiles{TOps, TVector, TStep, TPanel, TSize}"/>, where each output has an operand of its own, which stays in a register beside
/// the running sum. A call goes over as many whole tiles as it has rows: with few terms, starting each anew would cost a fifth of the time.
/// Nothing here calls anything: what stays in registers would be saved and loaded again.
/// </summary>
internal static unsafe class OwnTiles<TOps, TVector, TStep, TSize>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
    where TStep : struct, IOwnStep<TVector>
    where TSize : struct, ITileSize
{
    /// <summary>3 rows by 4 or 2 vectors, 6 by 1.</summary>
    /// <param name="call">Has all lanes of the last vector.</param>
    /// <param name="rows">Rows, a multiple of the tile's.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(in TileCall call, int rows)
    {
        var width = TOps.Width;
        var constant = TOps.Broadcast(TStep.Constant);
        var zero = TOps.Broadcast(0f);
        float* own = call.Own;
        float* output = call.Output;
        float* totals = call.Totals;
        var stride = call.PanelStride;
        var step = call.RowStride;
        var end = call.Segments + call.SegmentCount;
        int* places = call.OutputOffsets;
        int* sources = call.RowOffsets;
        var cleared = call.Cleared;
        var clearedStep = call.ClearedCount;
        for (nint first = 0; first < rows; first += TSize.Rows, places += TSize.Rows, sources += TSize.Rows, cleared += clearedStep)
        {
            Ask(call, places[2 * TSize.Rows]);
            Ask(call, places[2 * TSize.Rows + 1]);
            Ask(call, places[2 * TSize.Rows + 2]);
            if (TSize.Rows > 3)
            {
                Ask(call, places[2 * TSize.Rows + 3]);
                Ask(call, places[2 * TSize.Rows + 4]);
                Ask(call, places[2 * TSize.Rows + 5]);
            }

            float* o0 = own + places[0];
            var x0_0 = TOps.Load(o0);
            var x0_1 = TSize.Vectors > 1 ? TOps.Load(o0 + width) : default;
            var x0_2 = TSize.Vectors > 2 ? TOps.Load(o0 + 2 * width) : default;
            var x0_3 = TSize.Vectors > 2 ? TOps.Load(o0 + 3 * width) : default;
            float* o1 = own + places[1];
            var x1_0 = TOps.Load(o1);
            var x1_1 = TSize.Vectors > 1 ? TOps.Load(o1 + width) : default;
            var x1_2 = TSize.Vectors > 2 ? TOps.Load(o1 + 2 * width) : default;
            var x1_3 = TSize.Vectors > 2 ? TOps.Load(o1 + 3 * width) : default;
            float* o2 = own + places[2];
            var x2_0 = TOps.Load(o2);
            var x2_1 = TSize.Vectors > 1 ? TOps.Load(o2 + width) : default;
            var x2_2 = TSize.Vectors > 2 ? TOps.Load(o2 + 2 * width) : default;
            var x2_3 = TSize.Vectors > 2 ? TOps.Load(o2 + 3 * width) : default;
            var x3_0 = TSize.Rows > 3 ? TOps.Load(own + places[3]) : default;
            var x4_0 = TSize.Rows > 3 ? TOps.Load(own + places[4]) : default;
            var x5_0 = TSize.Rows > 3 ? TOps.Load(own + places[5]) : default;
            TVector s0_0 = default, s0_1 = default, s0_2 = default, s0_3 = default;
            TVector s1_0 = default, s1_1 = default, s1_2 = default, s1_3 = default;
            TVector s2_0 = default, s2_1 = default, s2_2 = default, s2_3 = default;
            TVector s3_0 = default, s4_0 = default, s5_0 = default;
            var clearedCount = clearedStep;
            for (var segment = call.Segments; segment < end; segment++)
            {
                float* source = call.Rows + segment->Offset;
                float* r0 = source + sources[0];
                float* r1 = source + sources[1];
                float* r2 = source + sources[2];
                float* r3 = TSize.Rows > 3 ? source + sources[3] : source;
                float* r4 = TSize.Rows > 3 ? source + sources[4] : source;
                float* r5 = TSize.Rows > 3 ? source + sources[5] : source;
                float* panel = call.Panel + segment->FirstTerm * stride;
                nint length = segment->Length * step;
                nint k = 0;

                // Beside the arithmetic a pixel's zeros go to memory unnoticed; asking at each term whether one is due costs a twentieth.
                for (; TSize.Vectors < 4 && k < clearedCount; k++)
                {
                    var p0 = TOps.Load(panel);
                    var p1 = TSize.Vectors > 1 ? TOps.Load(panel + width) : default;
                    panel += stride;
                    var b0 = TOps.Broadcast(r0[k]);
                    s0_0 = TStep.Apply(x0_0, p0, b0, constant, s0_0);
                    if (TSize.Vectors > 1)
                        s0_1 = TStep.ApplyOtherwise(x0_1, p1, b0, constant, s0_1);

                    var b1 = TSize.Vectors > 1 ? TOps.Broadcast(r1[k]) : default;
                    s1_0 = TSize.Vectors == 1 ? TStep.ApplyOtherwise(x1_0, p0, TOps.Broadcast(r1[k]), constant, s1_0) : TStep.Apply(x1_0, p0, b1, constant, s1_0);
                    if (TSize.Vectors > 1)
                        s1_1 = TStep.ApplyOtherwise(x1_1, p1, b1, constant, s1_1);

                    var b2 = TOps.Broadcast(r2[k]);
                    s2_0 = TStep.Apply(x2_0, p0, b2, constant, s2_0);
                    if (TSize.Vectors > 1)
                        s2_1 = TStep.ApplyOtherwise(x2_1, p1, b2, constant, s2_1);

                    if (TSize.Rows > 3)
                    {
                        s3_0 = TStep.ApplyOtherwise(x3_0, p0, TOps.Broadcast(r3[k]), constant, s3_0);
                        s4_0 = TStep.Apply(x4_0, p0, TOps.Broadcast(r4[k]), constant, s4_0);
                        s5_0 = TStep.ApplyOtherwise(x5_0, p0, TOps.Broadcast(r5[k]), constant, s5_0);
                    }

                    TOps.StorePastCaches(output + cleared[k], zero);
                    if (TSize.Vectors > 1)
                        TOps.StorePastCaches(output + cleared[k] + width, zero);
                }

                for (; k < length; k += step)
                {
                    var p0 = TOps.Load(panel);
                    var p1 = TSize.Vectors > 1 ? TOps.Load(panel + width) : default;
                    var p2 = TSize.Vectors > 2 ? TOps.Load(panel + 2 * width) : default;
                    var p3 = TSize.Vectors > 2 ? TOps.Load(panel + 3 * width) : default;
                    panel += stride;
                    var b0 = TOps.Broadcast(r0[k]);
                    s0_0 = TStep.Apply(x0_0, p0, b0, constant, s0_0);
                    if (TSize.Vectors > 1)
                        s0_1 = TStep.ApplyOtherwise(x0_1, p1, b0, constant, s0_1);
                    if (TSize.Vectors > 2)
                    {
                        s0_2 = TStep.ApplyOtherwise(x0_2, p2, b0, constant, s0_2);
                        s0_3 = TStep.Apply(x0_3, p3, b0, constant, s0_3);
                    }

                    var b1 = TSize.Vectors > 1 ? TOps.Broadcast(r1[k]) : default;
                    s1_0 = TSize.Vectors == 1 ? TStep.ApplyOtherwise(x1_0, p0, TOps.Broadcast(r1[k]), constant, s1_0) : TStep.Apply(x1_0, p0, b1, constant, s1_0);
                    if (TSize.Vectors > 1)
                        s1_1 = TStep.ApplyOtherwise(x1_1, p1, b1, constant, s1_1);
                    if (TSize.Vectors > 2)
                    {
                        s1_2 = TStep.ApplyOtherwise(x1_2, p2, b1, constant, s1_2);
                        s1_3 = TStep.Apply(x1_3, p3, b1, constant, s1_3);
                    }

                    var b2 = TOps.Broadcast(r2[k]);
                    s2_0 = TStep.Apply(x2_0, p0, b2, constant, s2_0);
                    if (TSize.Vectors > 1)
                        s2_1 = TStep.ApplyOtherwise(x2_1, p1, b2, constant, s2_1);
                    if (TSize.Vectors > 2)
                    {
                        s2_2 = TStep.ApplyOtherwise(x2_2, p2, b2, constant, s2_2);
                        s2_3 = TStep.Apply(x2_3, p3, b2, constant, s2_3);
                    }

                    if (TSize.Rows > 3)
                    {
                        s3_0 = TStep.ApplyOtherwise(x3_0, p0, TOps.Broadcast(r3[k]), constant, s3_0);
                        s4_0 = TStep.Apply(x4_0, p0, TOps.Broadcast(r4[k]), constant, s4_0);
                        s5_0 = TStep.ApplyOtherwise(x5_0, p0, TOps.Broadcast(r5[k]), constant, s5_0);
                    }
                }

                clearedCount = 0;
                if (segment->EndsBlock == 0 || segment + 1 == end)
                    continue;
                s0_0 = TileEnd<TOps, TVector>.Flush(totals, 0, s0_0);
                s1_0 = TileEnd<TOps, TVector>.Flush(totals, 1, s1_0);
                s2_0 = TileEnd<TOps, TVector>.Flush(totals, 2, s2_0);
                if (TSize.Rows > 3)
                {
                    s3_0 = TileEnd<TOps, TVector>.Flush(totals, 3, s3_0);
                    s4_0 = TileEnd<TOps, TVector>.Flush(totals, 4, s4_0);
                    s5_0 = TileEnd<TOps, TVector>.Flush(totals, 5, s5_0);
                }

                if (TSize.Vectors > 1)
                {
                    s0_1 = TileEnd<TOps, TVector>.Flush(totals, 3, s0_1);
                    s1_1 = TileEnd<TOps, TVector>.Flush(totals, 4, s1_1);
                    s2_1 = TileEnd<TOps, TVector>.Flush(totals, 5, s2_1);
                }

                if (TSize.Vectors > 2)
                {
                    s0_2 = TileEnd<TOps, TVector>.Flush(totals, 6, s0_2);
                    s0_3 = TileEnd<TOps, TVector>.Flush(totals, 9, s0_3);
                    s1_2 = TileEnd<TOps, TVector>.Flush(totals, 7, s1_2);
                    s1_3 = TileEnd<TOps, TVector>.Flush(totals, 10, s1_3);
                    s2_2 = TileEnd<TOps, TVector>.Flush(totals, 8, s2_2);
                    s2_3 = TileEnd<TOps, TVector>.Flush(totals, 11, s2_3);
                }
            }

            TileEnd<TOps, TVector>.Finish(call, output + places[0], TOps.Add(TOps.Load(totals), s0_0));
            TileEnd<TOps, TVector>.Finish(call, output + places[1], TOps.Add(TOps.Load(totals + width), s1_0));
            TileEnd<TOps, TVector>.Finish(call, output + places[2], TOps.Add(TOps.Load(totals + 2 * width), s2_0));
            if (TSize.Rows > 3)
            {
                TileEnd<TOps, TVector>.Finish(call, output + places[3], TOps.Add(TOps.Load(totals + 3 * width), s3_0));
                TileEnd<TOps, TVector>.Finish(call, output + places[4], TOps.Add(TOps.Load(totals + 4 * width), s4_0));
                TileEnd<TOps, TVector>.Finish(call, output + places[5], TOps.Add(TOps.Load(totals + 5 * width), s5_0));
            }

            if (TSize.Vectors > 1)
            {
                TileEnd<TOps, TVector>.Finish(call, output + places[0] + width, TOps.Add(TOps.Load(totals + 3 * width), s0_1));
                TileEnd<TOps, TVector>.Finish(call, output + places[1] + width, TOps.Add(TOps.Load(totals + 4 * width), s1_1));
                TileEnd<TOps, TVector>.Finish(call, output + places[2] + width, TOps.Add(TOps.Load(totals + 5 * width), s2_1));
            }

            if (TSize.Vectors > 2)
            {
                TileEnd<TOps, TVector>.Finish(call, output + places[0] + 2 * width, TOps.Add(TOps.Load(totals + 6 * width), s0_2));
                TileEnd<TOps, TVector>.Finish(call, output + places[1] + 2 * width, TOps.Add(TOps.Load(totals + 7 * width), s1_2));
                TileEnd<TOps, TVector>.Finish(call, output + places[2] + 2 * width, TOps.Add(TOps.Load(totals + 8 * width), s2_2));
                TileEnd<TOps, TVector>.Finish(call, output + places[0] + 3 * width, TOps.Add(TOps.Load(totals + 9 * width), s0_3));
                TileEnd<TOps, TVector>.Finish(call, output + places[1] + 3 * width, TOps.Add(TOps.Load(totals + 10 * width), s1_3));
                TileEnd<TOps, TVector>.Finish(call, output + places[2] + 3 * width, TOps.Add(TOps.Load(totals + 11 * width), s2_3));
            }

            if (call.SegmentCount > 1)
            {
                for (nint sum = 0; sum < TSize.Rows * TSize.Vectors * width; sum += width)
                    TOps.Store(totals + sum, zero);
            }
        }
    }

    /// <summary>Asks for an output's own operand, and for the output where it is stored through the caches: tiles jump from row to row, which hardware does not foresee.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Ask(in TileCall call, nint place)
    {
        if (!Sse.IsSupported)
            return;
        float* operand = call.Own + place;
        Sse.Prefetch0(operand);
        if (TSize.Vectors > 1)
            Sse.Prefetch0(operand + TOps.Width);
        if (TSize.Vectors > 2)
        {
            Sse.Prefetch0(operand + 2 * TOps.Width);
            Sse.Prefetch0(operand + 3 * TOps.Width);
        }

        if (call.PastCaches)
            return;
        float* output = call.Output + place;
        Sse.Prefetch0(output);
        if (TSize.Vectors > 1)
            Sse.Prefetch0(output + TOps.Width);
        if (TSize.Vectors > 2)
        {
            Sse.Prefetch0(output + 2 * TOps.Width);
            Sse.Prefetch0(output + 3 * TOps.Width);
        }
    }
}
