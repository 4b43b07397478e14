using AdderNet.Core.Kernels;

namespace AdderNet.Core.Layers;

/// <summary>
/// How many samples an adder layer's forward pass and input gradient take at a time. They go over the maps once for each panel of
/// filters or channels, which is fast while both maps stay in the caches. Samples do not meet in these passes: runs change no bit.
/// </summary>
internal static class SampleRuns
{
    /// <summary>Elements of both maps that stay in the caches.</summary>
    private const long CachedElements = 1024 * 1024;

    /// <summary>Elements of both maps for each element of the filters, which are packed anew for every run.</summary>
    private const long MapsOfFilters = 8;

    /// <summary>Layers of few filters take this many samples as the lanes of a vector.</summary>
    private const int Lanes = 16;

    /// <summary>Samples of a run, 1 to N.</summary>
    public static int Of(in ConvolutionShape shape)
    {
        var sample = (shape.InputLength + (long)shape.OutputLength) / shape.N;
        var run = Math.Max(CachedElements, MapsOfFilters * shape.FilterLength) / sample;
        if (run > Lanes)
            run -= run % Lanes;
        return (int)Math.Clamp(run, 1, shape.N);
    }
}
