using System.Runtime.CompilerServices;

namespace AdderNet.Core.Layers.Normalization;

/// <summary>No vectors; also what vectors leave over at the end of a buffer.</summary>
internal readonly unsafe struct ChannelOpsScalar : IChannelOps<double, float>
{
    public static int Width => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Broadcast(double value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(float* source) => *source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* destination, float value) => *destination = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Load(double* source) => *source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(double* destination, double value) => *destination = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Widen(float value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Narrow(double value) => (float)value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Add(float left, float right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Add(double left, double right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Subtract(double left, double right) => left - right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Multiply(double left, double right) => left * right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Gate(float key, float value) => key > 0 ? value : 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Gate(double key, double bound, double value) => key > bound ? value : 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Trouble(float trouble, float value) => trouble + (value - value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsTrouble(float trouble) => trouble != 0;
}
