namespace AdderNet.Core.Kernels;

/// <summary>
/// The constants that fix orders of summation (docs/determinism.md, numerics version 1). Changing one changes bits and
/// raises <see cref="Numerics.NumericsVersion.Current"/>.
/// </summary>
internal static class SummationOrder
{
    /// <summary>Terms of one running sum in forward passes (over k) and input gradients (over tap and filter).</summary>
    public const int TermBlock = 576;

    /// <summary>Positions of one running sum in filter gradients.</summary>
    public const int PositionBlock = 192;

    /// <summary>Interleaved partial sums of a pixel's channels; they fold 16 to 8 to 4 to 2 to 1.</summary>
    public const int PixelLanes = 16;
}
