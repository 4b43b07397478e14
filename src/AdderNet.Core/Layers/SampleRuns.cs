using AdderNet.Core.Kernels;

namespace AdderNet.Core.Layers;

/// <summary>What an adder layer's pass does with some of its samples.</summary>
internal interface ISamplePass
{
    /// <param name="part">The layer's shape with those samples only.</param>
    /// <param name="first">The first of them.</param>
    /// <param name="threads">Threads to run on.</param>
    void Run(in ConvolutionShape part, int first, ComputeThreads threads);
}

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

    /// <summary>Samples a thread from which one more or less hardly matters.</summary>
    private const int ManySamples = 16;

    /// <summary>Samples in the lanes of a tile.</summary>
    private const int Lanes = 64;

    /// <summary>
    /// Elements of filters up to which threads take whole runs: larger ones are streamed from beyond the second-level cache, where threads
    /// that share out a run's positions meet them together.
    /// </summary>
    private const int WholeRunFilters = 32 * 1024;

    /// <summary>Goes over all samples, run by run: threads share each run out, or where runs are many take whole ones, and need not wait for each other.</summary>
    public static void Each<TPass>(in ConvolutionShape shape, ComputeThreads threads, TPass pass)
        where TPass : ISamplePass
    {
        var run = Of(shape);
        if (TakesWholeRuns(shape, run, threads.Count))
        {
            threads.Split(threads.Count, new WholeRuns<TPass> { Shape = shape, Run = run, Threads = threads, Pass = pass });
            return;
        }

        for (var first = 0; first < shape.N; first += run)
            pass.Run(shape with { N = Math.Min(run, shape.N - first) }, first, threads);
    }

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

    private static bool TakesWholeRuns(in ConvolutionShape shape, int run, int threads) =>
        threads > 1 && shape.N >= threads * run
        && (shape.N % threads == 0 || shape.N >= ManySamples * threads)
        && shape.FilterLength <= WholeRunFilters && Math.Min(shape.C, shape.T) > FewChannels;

    /// <summary>An item is a thread's share of the samples, in runs of equal lengths but for a sample.</summary>
    private struct WholeRuns<TPass> : ISplitJob
        where TPass : ISamplePass
    {
        public ConvolutionShape Shape;
        public int Run;
        public ComputeThreads Threads;
        public TPass Pass;

        readonly void ISplitJob.Run(int first, int end)
        {
            for (var share = first; share < end; share++)
            {
                var from = Part(Shape.N, share, Threads.Count);
                var samples = Part(Shape.N, share + 1, Threads.Count) - from;
                var runs = (samples + Run - 1) / Run;
                for (var run = 0; run < runs; run++)
                {
                    var sample = Part(samples, run, runs);
                    Pass.Run(Shape with { N = Part(samples, run + 1, runs) - sample }, from + sample, Threads.Each[share]);
                }
            }
        }

        private static int Part(int length, int part, int parts) => (int)((long)length * part / parts);
    }
}
