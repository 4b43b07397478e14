using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using AdderNet.Core.Numerics;

namespace AdderNet.Core.Kernels;

/// <summary>
/// Four lanes on any processor that has 128-bit vectors. Where it lacks a fused multiply-add, <see cref="SoftwareFma"/> stands in.
/// </summary>
internal readonly unsafe struct Vector128Ops : IVectorOps<Vector128<float>>
{
    public static bool IsSupported => Vector128.IsHardwareAccelerated;

    public static int Width => 4;

    public static int TileVectors => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Broadcast(float value) => Vector128.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Load(float* source) => Vector128.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadPart(float* source, int count) => Vector128.Create(
        count > 0 ? source[0] : 0f, count > 1 ? source[1] : 0f, count > 2 ? source[2] : 0f, count > 3 ? source[3] : 0f);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* destination, Vector128<float> value) => value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePastCaches(float* destination, Vector128<float> value) => value.StoreAlignedNonTemporal(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePart(float* destination, Vector128<float> value, int count)
    {
        for (var lane = 0; lane < Math.Min(count, 4); lane++)
            destination[lane] = value[lane];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Add(Vector128<float> left, Vector128<float> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Subtract(Vector128<float> left, Vector128<float> right) => left - right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> SubtractByProduct(Vector128<float> left, Vector128<float> right, Vector128<float> one) => left - right;

    // Spelt out rather than Vector128.Max: on x86 this is the instruction maxps, elsewhere it gives the same bits.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Max(Vector128<float> left, Vector128<float> right) =>
        Sse.IsSupported ? Sse.Max(left, right) : Vector128.ConditionalSelect(Vector128.GreaterThan(left, right), left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> MultiplyAdd(Vector128<float> left, Vector128<float> right, Vector128<float> addend)
    {
        if (Fma.IsSupported)
            return Fma.MultiplyAdd(left, right, addend);
        return AdvSimd.IsSupported ? AdvSimd.FusedMultiplyAdd(addend, left, right) : SoftwareFma.MultiplyAdd(left, right, addend);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> SubtractTwice(Vector128<float> value, Vector128<float> minusTwo, Vector128<float> addend) =>
        value * minusTwo + addend;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> ClampToUnit(Vector128<float> value, Vector128<float> one)
    {
        var low = Max(value, -one);
        return Sse.IsSupported ? Sse.Min(low, one) : Vector128.ConditionalSelect(Vector128.LessThan(low, one), low, one);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Signed(Vector128<float> left, Vector128<float> right, Vector128<float> value) =>
        Vector128.ConditionalSelect(
            Vector128.GreaterThan(left, right), value, Vector128.ConditionalSelect(Vector128.LessThan(left, right), -value, Vector128<float>.Zero));
}
