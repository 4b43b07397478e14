using AdderNet.Core.Kernels;

namespace AdderNet.Core.Layers;

/// <summary>
/// How many samples an adder layer's forward pass and input gradient take at a time. They go over the maps more than once, the sums of
/// inputs included, which is fast while both maps stay in the second-level cache. Layers that read each pixel once, 1x1, go over them once
/// and take all. Samples do not meet in these passes: runs change no bit.
/// </summary>
internal static class SampleRuns
{
    /// <summary>Elements of both maps for each element of the filters, which are packed anew for every run.</summary>
    private const long MapsOfFilters = 8;

    /// <summary>Filters or channels up to which samples are the lanes of vectors.</summary>
    private const int FewChannels = 8;

    /// <summary>Samples in the lanes of a tile.</summary>
    private const int Lanes = 64;

    /// <summary>Samples of a run, 1 to N.</summary>
    public static int Of(in ConvolutionShape shape)
    {
        if (shape is { KernelHeight: 1, KernelWidth: 1, Padding: 0 })
            return shape.N;
        var sample = (shape.InputLength + (long)shape.OutputLength) / shape.N;
        var run = Math.Max(CachedMaps.Elements, MapsOfFilters * shape.FilterLength) / sample;
        if (Math.Min(shape.C, shape.T) <= FewChannels)
            run = Math.Max(run - run % Lanes, Lanes);
        return (int)Math.Clamp(run, 1, shape.N);
    }
}
