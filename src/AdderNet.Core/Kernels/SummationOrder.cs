namespace AdderNet.Core.Kernels;

/// <summary>
/// The constants that fix orders of summation (docs/determinism.md, numerics version 3). Changing one changes bits and
/// raises <see cref="Numerics.NumericsVersion.Current"/>.
/// </summary>
internal static class SummationOrder
{
    /// <summary>
    /// Most terms of one running sum in forward passes. Short, because an adder layer's output is a hundred times its own
    /// spread, so that its rounding flips ReLUs further on; not shorter, because each block costs a tile a pass over its sums.
    /// </summary>
    public const int ForwardBlock = 48;

    /// <summary>Most terms of one running sum in input gradients.</summary>
    public const int InputGradientBlock = 64;

    /// <summary>Blocks of a chunk, in forward passes and input gradients: chunks are summed on their own, so that chains stay short.</summary>
    public const int ChunkBlocks = 8;

    /// <summary>Positions of one running sum in filter gradients.</summary>
    public const int PositionBlock = 192;

    /// <summary>Interleaved partial sums of a pixel's channels; they fold 16 to 8 to 4 to 2 to 1.</summary>
    public const int PixelLanes = 16;
}
