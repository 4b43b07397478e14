using AdderNet.Core.Engine;
using AdderNet.Core.Kernels;
using AdderNet.Core.Models;

namespace AdderNet.Core.Layers.Quantization;

/// <summary>What the binary methods share: real-valued filters are kept and trained, and binarised anew for every pass.</summary>
internal abstract class BinarizedLayer(int index, ConvolutionNode node, TensorSlot filters, BinaryScratch scratch, LayerContext context)
    : FilterLayer(index, node, filters, context)
{
    /// <inheritdoc/>
    public override StepPart Part => StepPart.Binary;

    protected BinaryScratch Scratch { get; } = scratch;

    /// <summary>sign(w) of every filter element, in <see cref="BinaryScratch.Filters"/>.</summary>
    protected Span<float> FilterSigns(in ConvolutionShape shape)
    {
        var signs = Scratch.Filters(shape.FilterLength);
        BinaryPasses.Signs(FilterMemory, signs, shape.FilterLength, Context.Threads);
        return signs.AsSpan(0, shape.FilterLength);
    }

    /// <summary>Mean |w| of each filter, in double, in <see cref="BinaryScratch.Magnitudes"/>.</summary>
    protected double[] FilterMagnitudes(ConvolutionShape shape)
    {
        var means = Scratch.Magnitudes(shape.T);
        BinaryPasses.MeanMagnitudes(FilterMemory, shape.FilterElements, means, shape.T, Context.Threads);
        return means;
    }

    /// <summary>Sums of the one-bit inputs times the signs of the filters, in the output's place.</summary>
    protected Memory<float> IntegerOutput(ShardTape tape, in ConvolutionShape shape, OneBitInput kind)
    {
        var output = tape.Output(Index);
        PackedConvolution.Forward(shape, kind, tape.Output(Node.Input), FilterMemory, output, Scratch, Context.Threads);
        return output;
    }

    /// <summary>Closes the gradient where the input lies outside [low, high], and scales it.</summary>
    protected void PassInside(ShardTape tape, in ConvolutionShape shape, Memory<float> dx, float low, float high, float factor) =>
        BinaryPasses.PassInside(dx, tape.Output(Node.Input), low, high, factor, shape.InputLength, Context.Threads);
}
