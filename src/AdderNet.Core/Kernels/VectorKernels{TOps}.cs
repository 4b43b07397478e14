namespace AdderNet.Core.Kernels;

/// <summary>The passes at one vector width. Holds no state: scratch memory and plans belong to the threads.</summary>
internal sealed unsafe class VectorKernels<TOps, TVector> : IConvolutionKernels
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
{
    /// <inheritdoc/>
    public void AdderForward(in ConvolutionShape shape, ReadOnlySpan<float> x, ReadOnlySpan<float> filters, Span<float> y, ComputeThreads threads)
    {
        Check(shape, x.Length, filters.Length, y.Length);
        fixed (float* input = x, filter = filters, output = y)
            RunForward<AdderStep<TOps, TVector>>(threads.Plans.Of(shape), input, filter, output, withSums: true, threads);
    }

    /// <inheritdoc/>
    public void AdderFilterGradient(in ConvolutionShape shape, ReadOnlySpan<float> x, ReadOnlySpan<float> filters, ReadOnlySpan<float> g, Span<float> gradient, ComputeThreads threads)
    {
        Check(shape, x.Length, filters.Length, g.Length);
        Lengths.MustBe(shape.FilterLength, gradient.Length, nameof(gradient));
        fixed (float* input = x, filter = filters, outputGradient = g, result = gradient)
        {
            var ordered = FilterGradientPass<TOps, TVector, RowTile<TOps, TVector, ProductStep<TOps, TVector>>>.Run(threads.Plans.Of(shape), input, null, outputGradient, threads);
            var sums = FilterGradientEnd.SumGradients<TOps, TVector>(shape, outputGradient, threads);
            FilterGradientEnd.Write<TOps, TVector>(shape, ordered, PaddedTerms(shape), filter, sums, result, threads);
        }
    }

    /// <inheritdoc/>
    public void AdderFilterGradientSign(in ConvolutionShape shape, ReadOnlySpan<float> x, ReadOnlySpan<float> filters, ReadOnlySpan<float> g, Span<float> gradient, ComputeThreads threads)
    {
        Check(shape, x.Length, filters.Length, g.Length);
        Lengths.MustBe(shape.FilterLength, gradient.Length, nameof(gradient));
        fixed (float* input = x, filter = filters, outputGradient = g, result = gradient)
        {
            var own = FilterGradientEnd.OrderFilters(shape, filter, PaddedTerms(shape), threads);
            var ordered = FilterGradientPass<TOps, TVector, OwnTile<TOps, TVector, SignStep<TOps, TVector>>>.Run(threads.Plans.Of(shape), input, own, outputGradient, threads);
            FilterGradientEnd.Write<TOps, TVector>(shape, ordered, PaddedTerms(shape), null, null, result, threads);
        }
    }

    /// <inheritdoc/>
    public void AdderInputGradient(in ConvolutionShape shape, ReadOnlySpan<float> x, ReadOnlySpan<float> filters, ReadOnlySpan<float> g, Span<float> dx, ComputeThreads threads)
    {
        Check(shape, x.Length, filters.Length, g.Length);
        Lengths.MustBe(shape.InputLength, dx.Length, nameof(dx));
        fixed (float* input = x, filter = filters, outputGradient = g, result = dx)
        {
            if (BatchLanes.Suit<TOps, TVector>(shape.C, shape.N))
                BatchLaneInputGradient<TOps, TVector>.Run(threads.Plans.Of(shape), input, filter, outputGradient, result, threads);
            else
                InputGradientPass<TOps, TVector, OwnTile<TOps, TVector, ClampStep<TOps, TVector>>>.Run(threads.Plans.Of(shape), input, filter, outputGradient, result, threads);
        }
    }

    /// <inheritdoc/>
    public void Forward(in ConvolutionShape shape, ReadOnlySpan<float> x, ReadOnlySpan<float> filters, ReadOnlySpan<float> bias, Span<float> y, ComputeThreads threads)
    {
        Check(shape, x.Length, filters.Length, y.Length);
        if (!bias.IsEmpty)
            Lengths.MustBe(shape.T, bias.Length, nameof(bias));
        fixed (float* input = x, filter = filters, output = y)
            RunForward<ProductStep<TOps, TVector>>(threads.Plans.Of(shape), input, filter, output, withSums: false, threads);
        for (var p = 0; p < y.Length && !bias.IsEmpty; p += shape.T)
        {
            for (var t = 0; t < shape.T; t++)
                y[p + t] += bias[t];
        }
    }

    /// <inheritdoc/>
    public void FilterGradient(in ConvolutionShape shape, ReadOnlySpan<float> x, ReadOnlySpan<float> g, Span<float> gradient, ComputeThreads threads)
    {
        Check(shape, x.Length, gradient.Length, g.Length);
        fixed (float* input = x, outputGradient = g, result = gradient)
        {
            var ordered = FilterGradientPass<TOps, TVector, RowTile<TOps, TVector, ProductStep<TOps, TVector>>>.Run(threads.Plans.Of(shape), input, null, outputGradient, threads);
            FilterGradientEnd.Write<TOps, TVector>(shape, ordered, PaddedTerms(shape), null, null, result, threads);
        }
    }

    /// <inheritdoc/>
    public void InputGradient(in ConvolutionShape shape, ReadOnlySpan<float> filters, ReadOnlySpan<float> g, Span<float> dx, ComputeThreads threads)
    {
        Check(shape, dx.Length, filters.Length, g.Length);
        fixed (float* filter = filters, outputGradient = g, result = dx)
            InputGradientPass<TOps, TVector, RowTile<TOps, TVector, ProductStep<TOps, TVector>>>.Run(threads.Plans.Of(shape), null, filter, outputGradient, result, threads);
    }

    private static void RunForward<TStep>(ConvolutionPlan plan, float* x, float* filters, float* y, bool withSums, ComputeThreads threads)
        where TStep : struct, IRowStep<TVector>
    {
        if (BatchLanes.Suit<TOps, TVector>(plan.Shape.T, plan.Shape.N))
            BatchLaneForward<TOps, TVector, TStep>.Run(plan, x, filters, y, withSums, threads);
        else
            ForwardPass<TOps, TVector, TStep>.Run(plan, x, filters, y, withSums, threads);
    }

    private static int PaddedTerms(in ConvolutionShape shape) => new PanelSplit(shape.FilterElements, TOps.Width, TOps.TileVectors).PaddedColumns;

    private static void Check(in ConvolutionShape shape, int inputs, int filters, int outputs)
    {
        Lengths.MustBe(shape.InputLength, inputs, "x");
        Lengths.MustBe(shape.FilterLength, filters, "filters");
        Lengths.MustBe(shape.OutputLength, outputs, "y");
    }
}
