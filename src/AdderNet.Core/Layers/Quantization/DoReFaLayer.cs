using AdderNet.Core.Engine;
using AdderNet.Core.Kernels;
using AdderNet.Core.Models;

namespace AdderNet.Core.Layers.Quantization;

/// <summary>
/// DoReFa-Net (Zhou et al., 2016) with one bit for weights and inputs, real-valued gradients: Y = E * (a * sign(W)) with
/// E = mean |W| over the whole layer and a = round(clip(X, 0, 1)). Backward, E is a constant and both steps are straight
/// through: dW = a * G as if sign(W) E were W, and dX passes where 0 &lt;= X &lt;= 1.
/// </summary>
internal sealed class DoReFaLayer(int index, ConvolutionNode node, TensorSlot filters, BinaryScratch scratch, LayerContext context)
    : BinarizedLayer(index, node, filters, scratch, context)
{
    public override void Forward(ShardTape tape)
    {
        var shape = Shape(tape);
        var output = IntegerOutput(tape, shape, OneBitInput.Level);
        var scale = LayerScale(shape);
        BinaryPasses.Scale(output, scale, shape.OutputLength, Context.Threads);
    }

    public override void Backward(ShardTape tape)
    {
        var shape = Shape(tape);
        var g = OutputGradient(tape, shape);
        Context.Kernels.FilterGradient(shape, InputLevels(tape, shape), g, FilterGradient(tape), Threads(shape));
        if (tape.InputGradient(Index) is not { IsEmpty: false } dx)
            return;
        Context.Kernels.InputGradient(shape, FilterSigns(shape), g, dx.Span[..shape.InputLength], Threads(shape));
        PassInside(tape, shape, dx, low: 0, high: 1, LayerScale(shape));
    }

    private Span<float> InputLevels(ShardTape tape, ConvolutionShape shape)
    {
        var (x, levels) = (tape.Output(Node.Input), Scratch.Inputs(shape.InputLength));
        BinaryPasses.Levels(x, levels, shape.InputLength, Context.Threads);
        return levels.AsSpan(0, shape.InputLength);
    }

    /// <summary>E: the filters' means, which all have as many elements, added in order in double.</summary>
    private float LayerScale(in ConvolutionShape shape)
    {
        var means = FilterMagnitudes(shape);
        var sum = 0.0;
        for (var t = 0; t < shape.T; t++)
            sum += means[t];
        return (float)(sum / shape.T);
    }
}
