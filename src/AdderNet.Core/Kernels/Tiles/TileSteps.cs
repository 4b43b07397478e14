using System.Runtime.CompilerServices;

namespace AdderNet.Core.Kernels;

/// <summary>One term of a tile whose outputs have no operand of their own.</summary>
internal interface IRowStep<TVector>
    where TVector : unmanaged
{
    /// <summary>A constant that the step wants in a register.</summary>
    static abstract float Constant { get; }

    static abstract TVector Apply(TVector panel, TVector row, TVector constant, TVector sum);
}

/// <summary>One term of a tile whose outputs each have an operand of their own.</summary>
internal interface IOwnStep<TVector>
    where TVector : unmanaged
{
    /// <summary>A constant that the step wants in a register.</summary>
    static abstract float Constant { get; }

    static abstract TVector Apply(TVector own, TVector panel, TVector row, TVector constant, TVector sum);

    /// <summary>The same bits by instructions for other execution units; a tile uses both in turn.</summary>
    static abstract TVector ApplyOtherwise(TVector own, TVector panel, TVector row, TVector constant, TVector sum);
}

/// <summary>sum - 2 max(x, f): the adder layer's forward term (paper, eq. 2, as |x - f| = 2 max(x, f) - x - f).</summary>
internal readonly struct AdderStep<TOps, TVector> : IRowStep<TVector>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
{
    public static float Constant => -2f;

    // The row comes last, where an instruction can take it from memory. Which of two zeros is taken changes no sum: none is ever -0.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply(TVector panel, TVector row, TVector constant, TVector sum) =>
        TOps.SubtractTwice(TOps.Max(panel, row), constant, sum);
}

/// <summary>sum + a b, fused: multiplying layers, and every full-precision filter gradient.</summary>
internal readonly struct ProductStep<TOps, TVector> : IRowStep<TVector>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
{
    public static float Constant => 0f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply(TVector panel, TVector row, TVector constant, TVector sum) =>
        TOps.MultiplyAdd(panel, row, sum);
}

/// <summary>sum + clamp(f - x, -1, 1) g, fused: the adder layer's input gradient (paper, eq. 6-7). Own: x; panel: f; row: g.</summary>
internal readonly struct ClampStep<TOps, TVector> : IOwnStep<TVector>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
{
    public static float Constant => 1f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply(TVector own, TVector panel, TVector row, TVector constant, TVector sum) =>
        TOps.MultiplyAdd(TOps.ClampToUnit(TOps.Subtract(panel, own), constant), row, sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector ApplyOtherwise(TVector own, TVector panel, TVector row, TVector constant, TVector sum) =>
        TOps.MultiplyAdd(TOps.ClampToUnit(TOps.SubtractByProduct(panel, own, constant), constant), row, sum);
}

/// <summary>The same term with filters as rows. Own: x; panel: g; row: f.</summary>
internal readonly struct ExchangedClampStep<TOps, TVector> : IOwnStep<TVector>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
{
    public static float Constant => 1f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply(TVector own, TVector panel, TVector row, TVector constant, TVector sum) =>
        TOps.MultiplyAdd(TOps.ClampToUnit(TOps.Subtract(row, own), constant), panel, sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector ApplyOtherwise(TVector own, TVector panel, TVector row, TVector constant, TVector sum) =>
        TOps.MultiplyAdd(TOps.ClampToUnit(TOps.SubtractByProduct(row, own, constant), constant), panel, sum);
}

/// <summary>sum + sgn(x - f) g: the sign variant's filter gradient (paper, eq. 4). Own: f; panel: x; row: g.</summary>
internal readonly struct SignStep<TOps, TVector> : IOwnStep<TVector>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
{
    public static float Constant => 0f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply(TVector own, TVector panel, TVector row, TVector constant, TVector sum) =>
        TOps.Add(sum, TOps.Signed(panel, own, row));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector ApplyOtherwise(TVector own, TVector panel, TVector row, TVector constant, TVector sum) =>
        Apply(own, panel, row, constant, sum);
}
