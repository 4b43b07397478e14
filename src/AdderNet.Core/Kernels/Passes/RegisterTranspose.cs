using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace AdderNet.Core.Kernels;

/// <summary>The transpose of 16 x 16 blocks in AVX-512 registers: 64 shuffles for 256 elements.</summary>
internal static unsafe class RegisterTranspose
{
    /// <summary>Elements from what a row is read at to what is asked for: hardware does not follow sixteen rows at once.</summary>
    private const int Ahead = 64;

    /// <summary>Up to 16 rows of <see cref="BlockTranspose.Run"/>; the processor must have AVX-512.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void UpToSixteenRows(float* source, nint sourceStride, int rowCount, int columns, float* destination, nint destinationStride, int* places)
    {
        float** rows = stackalloc float*[16];
        var lanes = Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(rowCount)).AsSingle();
        nint last = rowCount - 1;
        var beyond = stackalloc float[16];
        for (var column = 0; column < columns; column += 16)
        {
            var count = Math.Min(16, columns - column);
            for (var i = 0; i < 16; i++)
                rows[i] = i >= count ? beyond : destination + (places == null ? column + i : places[column + i]) * destinationStride;
            var mask = Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).AsSingle();
            var from = source + column;
            for (nint row = 0; row < rowCount; row++)
                Sse.Prefetch0(from + row * sourceStride + Ahead);

            var r0 = Avx512F.MaskLoad(from, mask, Vector512<float>.Zero);
            var r1 = Avx512F.MaskLoad(from + Math.Min(1, last) * sourceStride, mask, Vector512<float>.Zero);
            var r2 = Avx512F.MaskLoad(from + Math.Min(2, last) * sourceStride, mask, Vector512<float>.Zero);
            var r3 = Avx512F.MaskLoad(from + Math.Min(3, last) * sourceStride, mask, Vector512<float>.Zero);
            var r4 = Avx512F.MaskLoad(from + Math.Min(4, last) * sourceStride, mask, Vector512<float>.Zero);
            var r5 = Avx512F.MaskLoad(from + Math.Min(5, last) * sourceStride, mask, Vector512<float>.Zero);
            var r6 = Avx512F.MaskLoad(from + Math.Min(6, last) * sourceStride, mask, Vector512<float>.Zero);
            var r7 = Avx512F.MaskLoad(from + Math.Min(7, last) * sourceStride, mask, Vector512<float>.Zero);
            var r8 = Avx512F.MaskLoad(from + Math.Min(8, last) * sourceStride, mask, Vector512<float>.Zero);
            var r9 = Avx512F.MaskLoad(from + Math.Min(9, last) * sourceStride, mask, Vector512<float>.Zero);
            var r10 = Avx512F.MaskLoad(from + Math.Min(10, last) * sourceStride, mask, Vector512<float>.Zero);
            var r11 = Avx512F.MaskLoad(from + Math.Min(11, last) * sourceStride, mask, Vector512<float>.Zero);
            var r12 = Avx512F.MaskLoad(from + Math.Min(12, last) * sourceStride, mask, Vector512<float>.Zero);
            var r13 = Avx512F.MaskLoad(from + Math.Min(13, last) * sourceStride, mask, Vector512<float>.Zero);
            var r14 = Avx512F.MaskLoad(from + Math.Min(14, last) * sourceStride, mask, Vector512<float>.Zero);
            var r15 = Avx512F.MaskLoad(from + Math.Min(15, last) * sourceStride, mask, Vector512<float>.Zero);

            // Pairs of rows, then pairs of pairs: every quarter of a register holds four rows of one column.
            var low0 = Avx512F.UnpackLow(r0, r1).AsDouble();
            var high0 = Avx512F.UnpackHigh(r0, r1).AsDouble();
            var low2 = Avx512F.UnpackLow(r2, r3).AsDouble();
            var high2 = Avx512F.UnpackHigh(r2, r3).AsDouble();
            var low4 = Avx512F.UnpackLow(r4, r5).AsDouble();
            var high4 = Avx512F.UnpackHigh(r4, r5).AsDouble();
            var low6 = Avx512F.UnpackLow(r6, r7).AsDouble();
            var high6 = Avx512F.UnpackHigh(r6, r7).AsDouble();
            var low8 = Avx512F.UnpackLow(r8, r9).AsDouble();
            var high8 = Avx512F.UnpackHigh(r8, r9).AsDouble();
            var low10 = Avx512F.UnpackLow(r10, r11).AsDouble();
            var high10 = Avx512F.UnpackHigh(r10, r11).AsDouble();
            var low12 = Avx512F.UnpackLow(r12, r13).AsDouble();
            var high12 = Avx512F.UnpackHigh(r12, r13).AsDouble();
            var low14 = Avx512F.UnpackLow(r14, r15).AsDouble();
            var high14 = Avx512F.UnpackHigh(r14, r15).AsDouble();
            var q0a = Avx512F.UnpackLow(low0, low2).AsSingle();
            var q0b = Avx512F.UnpackHigh(low0, low2).AsSingle();
            var q0c = Avx512F.UnpackLow(high0, high2).AsSingle();
            var q0d = Avx512F.UnpackHigh(high0, high2).AsSingle();
            var q4a = Avx512F.UnpackLow(low4, low6).AsSingle();
            var q4b = Avx512F.UnpackHigh(low4, low6).AsSingle();
            var q4c = Avx512F.UnpackLow(high4, high6).AsSingle();
            var q4d = Avx512F.UnpackHigh(high4, high6).AsSingle();
            var q8a = Avx512F.UnpackLow(low8, low10).AsSingle();
            var q8b = Avx512F.UnpackHigh(low8, low10).AsSingle();
            var q8c = Avx512F.UnpackLow(high8, high10).AsSingle();
            var q8d = Avx512F.UnpackHigh(high8, high10).AsSingle();
            var q12a = Avx512F.UnpackLow(low12, low14).AsSingle();
            var q12b = Avx512F.UnpackHigh(low12, low14).AsSingle();
            var q12c = Avx512F.UnpackLow(high12, high14).AsSingle();
            var q12d = Avx512F.UnpackHigh(high12, high14).AsSingle();

            // Columns j, j + 4, j + 8 and j + 12 from the quarters.
            Store(rows, 0, lanes, q0a, q4a, q8a, q12a);
            Store(rows, 1, lanes, q0b, q4b, q8b, q12b);
            Store(rows, 2, lanes, q0c, q4c, q8c, q12c);
            Store(rows, 3, lanes, q0d, q4d, q8d, q12d);
        }
    }

    /// <summary>Stores columns <paramref name="first"/>, + 4, + 8 and + 12 of four quads of rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float** rows, int first, Vector512<float> lanes, Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d)
    {
        var evenAb = Avx512F.Shuffle4x128(a, b, 0b10_00_10_00);
        var oddAb = Avx512F.Shuffle4x128(a, b, 0b11_01_11_01);
        var evenCd = Avx512F.Shuffle4x128(c, d, 0b10_00_10_00);
        var oddCd = Avx512F.Shuffle4x128(c, d, 0b11_01_11_01);
        Avx512F.MaskStore(rows[first], lanes, Avx512F.Shuffle4x128(evenAb, evenCd, 0b10_00_10_00));
        Avx512F.MaskStore(rows[first + 4], lanes, Avx512F.Shuffle4x128(oddAb, oddCd, 0b10_00_10_00));
        Avx512F.MaskStore(rows[first + 8], lanes, Avx512F.Shuffle4x128(evenAb, evenCd, 0b11_01_11_01));
        Avx512F.MaskStore(rows[first + 12], lanes, Avx512F.Shuffle4x128(oddAb, oddCd, 0b11_01_11_01));
    }
}
