using AdderNet.Core.Kernels;
using AdderNet.Core.Layers;
using AdderNet.Core.Numerics;

namespace AdderNet.Cli.Benchmarks;

/// <summary>Operands of a shape as layers meet them: inputs after a ReLU, filters and gradients normal.</summary>
internal sealed class KernelOperands
{
    private readonly ConvolutionShape shape;
    private readonly float[] x;
    private readonly float[] filters;
    private readonly float[] g;
    private readonly float[] y;
    private readonly float[] gradient;
    private readonly float[] dx;
    private readonly float[] touched;

    public KernelOperands(ConvolutionShape shape)
    {
        this.shape = shape;
        x = Normals(shape.InputLength, 1);
        for (var i = 0; i < x.Length; i++)
            x[i] = Math.Max(x[i], 0f);
        filters = Normals(shape.FilterLength, 2);
        g = Normals(shape.OutputLength, 3);
        (y, gradient, dx) = (new float[shape.OutputLength], new float[shape.FilterLength], new float[shape.InputLength]);
        touched = new float[Math.Max(y.Length, dx.Length)];
    }

    /// <summary>The three passes, in the order of <see cref="KernelBench.Kernels"/>.</summary>
    public IEnumerable<Action> Passes(ComputeThreads threads)
    {
        var kernels = ConvolutionKernels.Best;
        yield return () => InRuns((part, input, output) => kernels.AdderForward(part, x.AsSpan(input, part.InputLength), filters, y.AsSpan(output, part.OutputLength), threads));
        yield return () => kernels.AdderFilterGradient(shape, x, filters, g, gradient, threads);
        yield return () => InRuns((part, input, output) => kernels.AdderInputGradient(
            part, x.AsSpan(input, part.InputLength), filters, g.AsSpan(output, part.OutputLength), dx.AsSpan(input, part.InputLength), threads));
    }

    /// <summary>What the passes must read and write, without their arithmetic, in the same order.</summary>
    public IEnumerable<Action> Memory()
    {
        var loop = new MemoryLoop(shape);
        yield return () =>
        {
            loop.ReadInputs(x);
            MemoryLoop.Write(touched.AsSpan(0, y.Length));
        };
        yield return () =>
        {
            loop.ReadInputs(x);
            loop.Read(g);
        };
        yield return () =>
        {
            loop.ReadInputs(x);
            loop.Read(g);
            MemoryLoop.Write(touched.AsSpan(0, dx.Length));
        };
    }

    /// <summary>As layers do, a few samples at a time.</summary>
    /// <param name="pass">Given the samples' shape and their first elements in both maps.</param>
    private void InRuns(Action<ConvolutionShape, int, int> pass)
    {
        var run = SampleRuns.Of(shape);
        for (var first = 0; first < shape.N; first += run)
        {
            var part = shape with { N = Math.Min(run, shape.N - first) };
            pass(part, first * (shape.InputLength / shape.N), first * (shape.OutputLength / shape.N));
        }
    }

    /// <summary>A thousand draws over and over, a prime number of them: speed does not depend on more.</summary>
    private static float[] Normals(int length, uint item)
    {
        var stream = new Philox(1, DrawPurpose.Probe, item);
        var drawn = new float[997];
        for (var i = 0; i < drawn.Length; i++)
            drawn[i] = (float)stream.NextNormal();
        var values = new float[length];
        for (var i = 0; i < length; i++)
            values[i] = drawn[i % drawn.Length];
        return values;
    }
}
