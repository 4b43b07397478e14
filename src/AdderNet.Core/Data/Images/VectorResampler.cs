using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using AdderNet.Core.Kernels;

namespace AdderNet.Core.Data.Images;

/// <summary>
/// The reference's sums in vectors: along rows the four bytes of a pixel are one vector of 128 bits, two rows at a time;
/// along columns as many bytes as the width gives.
/// </summary>
/// <param name="width">Vectors of the pass along columns.</param>
internal sealed unsafe class VectorResampler(VectorWidth width) : IResampler
{
    /// <summary>The fastest that this processor can run.</summary>
    public static IResampler Best { get; } = Create(VectorKernels.Widest);

    /// <summary>The passes at a vector width; plain loops for <see cref="VectorWidth.Scalar"/>.</summary>
    public static IResampler Create(VectorWidth width) => width == VectorWidth.Scalar ? new ReferenceResampler() : new VectorResampler(width);

    public void Horizontal(PixelView from, int firstRow, int rows, AxisWeights weights, bool mirror, byte* to)
    {
        var rowBytes = (nuint)weights.Count * PixelView.PixelBytes;
        var step = mirror ? -PixelView.PixelBytes : PixelView.PixelBytes;
        fixed (int* starts = weights.Start, taps = weights.Taps, all = weights.Weights)
        {
            for (var y = 0; y < rows; y += 2)
            {
                var upper = from.Pixels + ((nuint)(firstRow + y) * from.RowBytes);
                // An odd last row is computed twice, into the same place.
                var hasLower = y + 1 < rows;
                var lower = hasLower ? upper + from.RowBytes : upper;
                var place = to + ((nuint)y * rowBytes) + (mirror ? rowBytes - PixelView.PixelBytes : 0);
                var below = hasLower ? place + rowBytes : place;
                var own = all;
                for (var x = 0; x < weights.Count; x++, own += weights.Stride, place += step, below += step)
                {
                    var upperSum = Vector128.Create(AxisWeights.Half);
                    var lowerSum = upperSum;
                    var offset = (nint)starts[x] * PixelView.PixelBytes;
                    for (var t = 0; t < taps[x]; t++, offset += PixelView.PixelBytes)
                    {
                        var weight = Vector128.Create(own[t]);
                        upperSum += Widen(upper + offset) * weight;
                        lowerSum += Widen(lower + offset) * weight;
                    }

                    *(uint*)place = Round(upperSum);
                    *(uint*)below = Round(lowerSum);
                }
            }
        }
    }

    public void Vertical(byte* rows, int rowBytes, ReadOnlySpan<int> weights, byte* to)
    {
        switch (width)
        {
            case VectorWidth.Vector512:
                for (var i = 0; i < rowBytes; i += Vector512<int>.Count)
                {
                    var sum = Vector512.Create(AxisWeights.Half);
                    var from = rows + i;
                    for (var t = 0; t < weights.Length; t++, from += rowBytes)
                        sum += Avx512F.ConvertToVector512Int32(Vector128.Load(from)) * weights[t];
                    var clipped = Vector512.Min(sum >>> AxisWeights.Precision, Vector512.Create((int)byte.MaxValue));
                    Avx512F.ConvertToVector128Byte(clipped.AsUInt32()).Store(to + i);
                }

                break;
            case VectorWidth.Vector256:
                for (var i = 0; i < rowBytes; i += Vector256<int>.Count)
                {
                    var sum = Vector256.Create(AxisWeights.Half);
                    var from = rows + i;
                    for (var t = 0; t < weights.Length; t++, from += rowBytes)
                        sum += Avx2.ConvertToVector256Int32(from) * weights[t];
                    var rounded = sum >>> AxisWeights.Precision;
                    *(uint*)(to + i) = Pack(rounded.GetLower());
                    *(uint*)(to + i + 4) = Pack(rounded.GetUpper());
                }

                break;
            default:
                for (var i = 0; i < rowBytes; i += Vector128<int>.Count)
                {
                    var sum = Vector128.Create(AxisWeights.Half);
                    var from = rows + i;
                    for (var t = 0; t < weights.Length; t++, from += rowBytes)
                        sum += Widen(from) * weights[t];
                    *(uint*)(to + i) = Round(sum);
                }

                break;
        }
    }

    /// <summary>Four bytes as four integers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Widen(byte* from) => Sse41.IsSupported
        ? Sse41.ConvertToVector128Int32(from)
        : Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(uint*)from).AsByte())).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Round(Vector128<int> sum) => Pack(sum >>> AxisWeights.Precision);

    /// <summary>Four integers from 0 to 256 as bytes, 256 as 255.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Pack(Vector128<int> values)
    {
        var clipped = Vector128.Min(values, Vector128.Create((int)byte.MaxValue));
        return Vector128.Narrow(Vector128.Narrow(clipped, clipped).AsUInt16(), Vector128<ushort>.Zero).AsUInt32().ToScalar();
    }
}
