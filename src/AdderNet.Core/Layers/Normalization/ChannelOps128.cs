using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace AdderNet.Core.Layers.Normalization;

/// <summary>Any processor's 128-bit vectors: 2 doubles. The upper two floats of a vector mean nothing and stay finite.</summary>
internal readonly unsafe struct ChannelOps128 : IChannelOps<Vector128<double>, Vector128<float>>
{
    public static int Width => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<double> Broadcast(double value) => Vector128.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Load(float* source) => Vector128.CreateScalar(*(double*)source).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* destination, Vector128<float> value) => *(double*)destination = value.AsDouble().ToScalar();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<double> Load(double* source) => Vector128.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(double* destination, Vector128<double> value) => value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<double> Widen(Vector128<float> value) => Vector128.WidenLower(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Narrow(Vector128<double> value) => Vector128.Narrow(value, Vector128<double>.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Add(Vector128<float> left, Vector128<float> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<double> Add(Vector128<double> left, Vector128<double> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<double> Subtract(Vector128<double> left, Vector128<double> right) => left - right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<double> Multiply(Vector128<double> left, Vector128<double> right) => left * right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Gate(Vector128<float> key, Vector128<float> value) => Vector128.GreaterThan(key, Vector128<float>.Zero) & value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<double> Gate(Vector128<double> key, Vector128<double> bound, Vector128<double> value) => Vector128.ConditionalSelect(Vector128.GreaterThan(key, bound), value, Vector128<double>.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Trouble(Vector128<float> trouble, Vector128<float> value) => trouble + (value - value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsTrouble(Vector128<float> trouble) => !Vector128.EqualsAll(trouble, Vector128<float>.Zero);
}
