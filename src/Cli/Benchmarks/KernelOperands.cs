using AdderNet.Core.Kernels;
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

    public KernelOperands(ConvolutionShape shape)
    {
        this.shape = shape;
        x = Normals(shape.InputLength, 1);
        for (var i = 0; i < x.Length; i++)
            x[i] = Math.Max(x[i], 0f);
        filters = Normals(shape.FilterLength, 2);
        g = Normals(shape.OutputLength, 3);
        (y, gradient, dx) = (new float[shape.OutputLength], new float[shape.FilterLength], new float[shape.InputLength]);
    }

    /// <summary>The three passes, in the order of <see cref="KernelBench.Kernels"/>.</summary>
    public IEnumerable<Action> Passes(ComputeThreads threads)
    {
        var kernels = ConvolutionKernels.Best;
        yield return () => kernels.AdderForward(shape, x, filters, y, threads);
        yield return () => kernels.AdderFilterGradient(shape, x, filters, g, gradient, threads);
        yield return () => kernels.AdderInputGradient(shape, x, filters, g, dx, threads);
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
