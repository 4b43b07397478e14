using AdderNet.Core.Kernels;
using AdderNet.Core.Layers;
using AdderNet.Core.Numerics;

namespace AdderNet.Cli.Benchmarks;

/// <summary>Operands of a shape as layers meet them: at cache lines, inputs after a ReLU, filters and gradients normal.</summary>
internal sealed class KernelOperands
{
    private readonly ConvolutionShape shape;
    private readonly Memory<float> x;
    private readonly Memory<float> filters;
    private readonly Memory<float> g;
    private readonly Memory<float> y;
    private readonly Memory<float> gradient;
    private readonly Memory<float> dx;
    private readonly Memory<float> touched;

    public KernelOperands(ConvolutionShape shape)
    {
        this.shape = shape;
        x = Normals(shape.InputLength, 1);
        foreach (ref var value in x.Span)
            value = Math.Max(value, 0f);
        filters = Normals(shape.FilterLength, 2);
        g = Normals(shape.OutputLength, 3);
        (y, gradient, dx) = (Pinned.Lines(shape.OutputLength), Pinned.Lines(shape.FilterLength), Pinned.Lines(shape.InputLength));
        touched = Pinned.Lines(Math.Max(y.Length, dx.Length));
    }

    /// <summary>The three passes, in the order of <see cref="KernelBench.Kernels"/>.</summary>
    public IEnumerable<Action> Passes(ComputeThreads threads)
    {
        var kernels = ConvolutionKernels.Best;
        yield return () => InRuns(threads, (part, input, output, own) => kernels.AdderForward(
            part, x.Span.Slice(input, part.InputLength), filters.Span, y.Span.Slice(output, part.OutputLength), own));
        yield return () => kernels.AdderFilterGradient(shape, x.Span, filters.Span, g.Span, gradient.Span, threads);
        yield return () => InRuns(threads, (part, input, output, own) => kernels.AdderInputGradient(
            part, x.Span.Slice(input, part.InputLength), filters.Span, g.Span.Slice(output, part.OutputLength), dx.Span.Slice(input, part.InputLength), own));
    }

    /// <summary>What the passes must read and write, without their arithmetic, in the same order.</summary>
    public IEnumerable<Action> Memory()
    {
        var loop = new MemoryLoop(shape);
        yield return () =>
        {
            loop.ReadInputs(x.Span);
            loop.Write(touched.Span[..y.Length], shape.T);
        };
        yield return () =>
        {
            loop.ReadInputs(x.Span);
            loop.Read(g.Span);
        };
        yield return () =>
        {
            loop.ReadInputs(x.Span);
            loop.Read(g.Span);
            loop.Write(touched.Span[..dx.Length], shape.C);
        };
    }

    /// <summary>As layers do, a few samples at a time.</summary>
    /// <param name="threads">Threads of the layer.</param>
    /// <param name="pass">Given the samples' shape, their first elements in both maps, and the threads to run on.</param>
    private void InRuns(ComputeThreads threads, Action<ConvolutionShape, int, int, ComputeThreads> pass) =>
        SampleRuns.Each(shape, threads, new Pass(shape, pass));

    private readonly struct Pass(ConvolutionShape shape, Action<ConvolutionShape, int, int, ComputeThreads> pass) : ISamplePass
    {
        public void Run(in ConvolutionShape part, int first, ComputeThreads threads) =>
            pass(part, first * (shape.InputLength / shape.N), first * (shape.OutputLength / shape.N), threads);
    }

    /// <summary>A thousand draws over and over, a prime number of them: speed does not depend on more.</summary>
    private static Memory<float> Normals(int length, uint item)
    {
        var stream = new Philox(1, DrawPurpose.Probe, item);
        var drawn = new float[997];
        for (var i = 0; i < drawn.Length; i++)
            drawn[i] = (float)stream.NextNormal();
        var values = Pinned.Lines(length);
        for (var i = 0; i < length; i++)
            values.Span[i] = drawn[i % drawn.Length];
        return values;
    }
}
