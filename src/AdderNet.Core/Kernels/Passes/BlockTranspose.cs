using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace AdderNet.Core.Kernels;

/// <summary>Transposes small blocks in registers: element by element, a large matrix costs as much as a layer's arithmetic.</summary>
internal static unsafe class BlockTranspose
{
    /// <summary>
    /// destination[column * destinationStride + row] = source[row * sourceStride + column] for all rows and columns. Where
    /// <paramref name="places"/> is given, column c goes to destination row places[c] instead of c.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(float* source, nint sourceStride, int rows, int columns, float* destination, nint destinationStride, int* places = null)
    {
        var row = 0;
        if (Avx512F.IsSupported)
        {
            // Fewer than half of the rows are quicker four at a time.
            for (; rows - row >= 8; row = Math.Min(row + 16, rows))
                RegisterTranspose.UpToSixteenRows(source + row * sourceStride, sourceStride, Math.Min(16, rows - row), columns, destination + row, destinationStride, places);
        }

        if (Sse.IsSupported)
        {
            for (; row <= rows - 4; row += 4)
                FourRows(source + row * sourceStride, sourceStride, columns, destination + row, destinationStride, places);
        }

        for (; row < rows; row++)
        {
            for (var column = 0; column < columns; column++)
                destination[Place(places, column) * destinationStride + row] = source[row * sourceStride + column];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourRows(float* source, nint sourceStride, int columns, float* destination, nint destinationStride, int* places)
    {
        float* row1 = source + sourceStride;
        float* row2 = row1 + sourceStride;
        float* row3 = row2 + sourceStride;
        var column = 0;
        for (; column <= columns - 4; column += 4)
        {
            var a = Vector128.Load(source + column);
            var b = Vector128.Load(row1 + column);
            var c = Vector128.Load(row2 + column);
            var d = Vector128.Load(row3 + column);
            var lowAb = Sse.UnpackLow(a, b);
            var highAb = Sse.UnpackHigh(a, b);
            var lowCd = Sse.UnpackLow(c, d);
            var highCd = Sse.UnpackHigh(c, d);
            Sse.MoveLowToHigh(lowAb, lowCd).Store(destination + Place(places, column) * destinationStride);
            Sse.MoveHighToLow(lowCd, lowAb).Store(destination + Place(places, column + 1) * destinationStride);
            Sse.MoveLowToHigh(highAb, highCd).Store(destination + Place(places, column + 2) * destinationStride);
            Sse.MoveHighToLow(highCd, highAb).Store(destination + Place(places, column + 3) * destinationStride);
        }

        for (; column < columns; column++)
        {
            float* to = destination + Place(places, column) * destinationStride;
            to[0] = source[column];
            to[1] = row1[column];
            to[2] = row2[column];
            to[3] = row3[column];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nint Place(int* places, int column) => places == null ? column : places[column];
}
