using AdderNet.Core.Kernels;

namespace AdderNet.Core.Tests.Kernels;

/// <summary>A shape with drawn operands, and every pass run on it.</summary>
internal sealed class ConvolutionCase
{
    public ConvolutionCase(ConvolutionShape shape, uint item = 0)
    {
        Shape = shape;
        X = Drawn.Normals(shape.InputLength, 100 + item);
        Filters = Drawn.Normals(shape.FilterLength, 200 + item);
        G = Drawn.Normals(shape.OutputLength, 300 + item);
        Bias = Drawn.Normals(shape.T, 400 + item);

        // Activations: half of them exactly 0; and some ties of input and filter for sgn(0) = 0.
        for (var i = 0; i < X.Length; i++)
            X[i] = i % 37 == 0 ? Filters[i % Filters.Length] : Math.Max(X[i], 0f);
    }

    public ConvolutionShape Shape { get; }

    /// <summary>Elements from a cache line to where results begin.</summary>
    public int ResultOffset { get; init; }

    public float[] X { get; }

    public float[] Filters { get; }

    public float[] G { get; }

    public float[] Bias { get; }

    public static string[] PassNames { get; } =
        ["adder forward", "adder filter gradient", "sign filter gradient", "adder input gradient", "forward", "filter gradient", "input gradient"];

    /// <summary>The result of each pass, in the order of <see cref="PassNames"/>; outputs start as NaN, so what is not written shows.</summary>
    public float[][] RunAll(IConvolutionKernels kernels, ComputeThreads threads) =>
        [.. Enumerable.Range(0, PassNames.Length).Select(pass => Run(pass, kernels, threads))];

    public float[] Run(int pass, IConvolutionKernels kernels, ComputeThreads threads)
    {
        var length = pass switch { 0 or 4 => Shape.OutputLength, 3 or 6 => Shape.InputLength, _ => Shape.FilterLength };
        var result = Pinned.Lines(length + ResultOffset).Span[ResultOffset..];
        result.Fill(float.NaN);
        switch (pass)
        {
            case 0: kernels.AdderForward(Shape, X, Filters, result, threads); break;
            case 1: kernels.AdderFilterGradient(Shape, X, Filters, G, result, threads); break;
            case 2: kernels.AdderFilterGradientSign(Shape, X, Filters, G, result, threads); break;
            case 3: kernels.AdderInputGradient(Shape, X, Filters, G, result, threads); break;
            case 4: kernels.Forward(Shape, X, Filters, Bias, result, threads); break;
            case 5: kernels.FilterGradient(Shape, X, G, result, threads); break;
            default: kernels.InputGradient(Shape, Filters, G, result, threads); break;
        }

        return result.ToArray();
    }
}
