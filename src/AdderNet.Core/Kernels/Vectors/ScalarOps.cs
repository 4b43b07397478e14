using System.Runtime.CompilerServices;
using AdderNet.Core.Numerics;

namespace AdderNet.Core.Kernels;

/// <summary>One lane: processors, or runtimes, without vectors.</summary>
internal readonly unsafe struct ScalarOps : IVectorOps<float>
{
    public static int Width => 1;

    public static int TileVectors => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Broadcast(float value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(float* source) => *source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float LoadPart(float* source, int count) => count > 0 ? *source : 0f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* destination, float value) => *destination = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePastCaches(float* destination, float value) => *destination = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePart(float* destination, float value, int count)
    {
        if (count > 0)
            *destination = value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Add(float left, float right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Subtract(float left, float right) => left - right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float SubtractByProduct(float left, float right, float one) => left - right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Max(float left, float right) => left > right ? left : right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MultiplyAdd(float left, float right, float addend) => Fused.MultiplyAdd(left, right, addend);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float SubtractTwice(float value, float minusTwo, float addend) => value * minusTwo + addend;

    // The smaller magnitude with the value's sign, in integers: a branch would be mispredicted every few elements.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ClampToUnit(float value, float one)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        var magnitude = Math.Min(bits & 0x7FFFFFFF, BitConverter.SingleToUInt32Bits(one));
        return BitConverter.UInt32BitsToSingle((bits & 0x80000000) | magnitude);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Signed(float left, float right, float value) => left > right ? value : left < right ? -value : 0f;
}
