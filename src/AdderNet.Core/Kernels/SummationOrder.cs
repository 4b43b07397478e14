namespace AdderNet.Core.Kernels;

/// <summary>
/// The constants that fix orders of summation (docs/determinism.md, numerics version 1). Changing one changes bits and
/// raises <see cref="Numerics.NumericsVersion.Current"/>.
/// </summary>
internal static class SummationOrder
{
    /// <summary>
    /// Terms of one running sum in forward passes (over k) and input gradients (over tap and filter). Short, because an adder
    /// layer's output is hundreds of times its own spread: at 576 its rounding error flipped ReLUs of a ResNet-20 step, and the
    /// median gradient lay 2e-2 from float64; at 64 no ReLU flips there and it lies 5e-6 from it (tests/Golden).
    /// </summary>
    public const int TermBlock = 64;

    /// <summary>Positions of one running sum in filter gradients.</summary>
    public const int PositionBlock = 192;

    /// <summary>Interleaved partial sums of a pixel's channels; they fold 16 to 8 to 4 to 2 to 1.</summary>
    public const int PixelLanes = 16;
}
