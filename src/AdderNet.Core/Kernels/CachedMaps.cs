namespace AdderNet.Core.Kernels;

/// <summary>How much of a layer's maps stays in the second-level cache while a pass goes over them.</summary>
internal static class CachedMaps
{
    /// <summary>Elements of both maps that stay.</summary>
    public const long Elements = 128 * 1024;

    /// <summary>
    /// Whether what a pass writes has left that cache before another reads it, since the samples are one of the runs that a layer cuts
    /// them into: such runs hold more than half as much as stays there.
    /// </summary>
    public static bool Outgrown(in ConvolutionShape shape) => shape.InputLength + (long)shape.OutputLength > Elements / 2;
}
