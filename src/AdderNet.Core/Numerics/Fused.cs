using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace AdderNet.Core.Numerics;

/// <summary>The scalar fused multiply-add of every kernel: the instruction where there is one, else <see cref="SoftwareFma"/>.</summary>
internal static class Fused
{
    /// <summary>a * b + c, rounded once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MultiplyAdd(float a, float b, float c) =>
        Fma.IsSupported || AdvSimd.IsSupported ? MathF.FusedMultiplyAdd(a, b, c) : SoftwareFma.MultiplyAdd(a, b, c);
}
