namespace AdderNet.Core.Numerics;

/// <summary>
/// Names the orders of summation, block sizes and elementary functions in use (docs/determinism.md). Any change that can
/// change a bit of a result raises it; it enters the run identity, so runs of different versions never mix.
/// </summary>
public static class NumericsVersion
{
    /// <summary>The version that this build computes with.</summary>
    public const int Current = 3;
}
