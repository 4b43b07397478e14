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
            RunFilterGradient(threads.Plans.Of(shape), input, outputGradient, filter, result, threads);
    }

    /// <inheritdoc/>
    public void AdderFilterGradientSign(in ConvolutionShape shape, ReadOnlySpan<float> x, ReadOnlySpan<float> filters, ReadOnlySpan<float> g, Span<float> gradient, ComputeThreads threads)
    {
        Check(shape, x.Length, filters.Length, g.Length);
        Lengths.MustBe(shape.FilterLength, gradient.Length, nameof(gradient));
        fixed (float* input = x, filter = filters, outputGradient = g, result = gradient)
        {
            var own = FilterGradientEnd<TOps, TVector>.OrderFilters(shape, filter, FilterGradientEnd<TOps, TVector>.RowStride(shape.FilterElements), threads);
            FilterGradientPass<TOps, TVector, OwnTile<TOps, TVector, SignStep<TOps, TVector>>, OwnTile<TOps, TVector, SignStep<TOps, TVector>>>.Run(threads.Plans.Of(shape), input, own, outputGradient, null, result, threads);
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
                RunInputGradient<OwnTile<TOps, TVector, ClampStep<TOps, TVector>>>(threads.Plans.Of(shape), input, filter, outputGradient, result, threads);
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
            RunFilterGradient(threads.Plans.Of(shape), input, outputGradient, null, result, threads);
    }

    /// <inheritdoc/>
    public void InputGradient(in ConvolutionShape shape, ReadOnlySpan<float> filters, ReadOnlySpan<float> g, Span<float> dx, ComputeThreads threads)
    {
        Check(shape, dx.Length, filters.Length, g.Length);
        fixed (float* filter = filters, outputGradient = g, result = dx)
            RunInputGradient<RowTile<TOps, TVector, ProductStep<TOps, TVector>, RunningPanel>>(threads.Plans.Of(shape), null, filter, outputGradient, result, threads);
    }

    private static void RunForward<TStep>(ConvolutionPlan plan, float* x, float* filters, float* y, bool withSums, ComputeThreads threads)
        where TStep : struct, IRowStep<TVector>
    {
        var shape = plan.Shape;
        if (BatchLanes.Suit<TOps, TVector>(shape.T, shape.N))
        {
            BatchLaneForward<TOps, TVector, TStep>.Run(plan, x, filters, y, withSums, threads);
            return;
        }

        var packed = FilterPacking<TOps, TVector>.ByFilter(plan, filters, threads);
        GatherPass<TOps, TVector, TallTile<TOps, TVector, TStep>>.Run(plan.Outputs, shape.T, shape.FilterElements, new GatherOperands
        {
            Source = x,
            Packed = packed,
            Result = y,
            PastCaches = CachedMaps.Outgrown(shape),
            LaneAddends = withSums ? FilterSums<TOps, TVector>.Prepare(plan, packed, threads) : null,
            RowAddends = withSums && !plan.ReadsPixels ? InputSums<TOps, TVector>.Prepare(plan, x, threads) : null,
        }, threads);
    }

    private static void RunInputGradient<TTile>(ConvolutionPlan plan, float* x, float* filters, float* g, float* dx, ComputeThreads threads)
        where TTile : struct, ITile
    {
        var shape = plan.Shape;
        GatherPass<TOps, TVector, TTile>.Run(plan.Inputs, shape.C, shape.KernelHeight * shape.KernelWidth * shape.T, new GatherOperands
        {
            Source = g,
            Packed = FilterPacking<TOps, TVector>.ByChannel(plan, filters, threads),
            Own = x,
            Result = dx,
            PastCaches = CachedMaps.Outgrown(shape),
        }, threads);
    }

    private static void RunFilterGradient(ConvolutionPlan plan, float* x, float* g, float* filters, float* gradient, ComputeThreads threads) =>
        FilterGradientPass<TOps, TVector, RowTile<TOps, TVector, ProductStep<TOps, TVector>, GatheredPanel>, RowTile<TOps, TVector, ProductStep<TOps, TVector>, TabledPanel>>.Run(plan, x, null, g, filters, gradient, threads);

    private static void Check(in ConvolutionShape shape, int inputs, int filters, int outputs)
    {
        Lengths.MustBe(shape.InputLength, inputs, "x");
        Lengths.MustBe(shape.FilterLength, filters, "filters");
        Lengths.MustBe(shape.OutputLength, outputs, "y");
    }
}
