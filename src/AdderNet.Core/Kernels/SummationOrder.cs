namespace AdderNet.Core.Kernels;

/// <summary>
/// The constants that fix orders of summation (docs/determinism.md, numerics version 2). Changing one changes bits and
/// raises <see cref="Numerics.NumericsVersion.Current"/>.
/// </summary>
internal static class SummationOrder
{
    /// <summary>
    /// Terms of one running sum in forward passes (over k). Short, because an adder layer's output is a hundred times its own
    /// spread, so that its rounding flips ReLUs further on: in two ResNet-50 batches, sums of 64 terms put 202 batch-norm outputs on
    /// the other side of zero than float64, sums of 16 put 55 there, float32 PyTorch 18. Sums of 16 cost a large forward pass
    /// about a tenth of its time.
    /// </summary>
    public const int ForwardBlock = 16;

    /// <summary>Terms of one running sum in input gradients (over tap and filter).</summary>
    public const int InputGradientBlock = 64;

    /// <summary>Positions of one running sum in filter gradients.</summary>
    public const int PositionBlock = 192;

    /// <summary>Interleaved partial sums of a pixel's channels; they fold 16 to 8 to 4 to 2 to 1.</summary>
    public const int PixelLanes = 16;
}
