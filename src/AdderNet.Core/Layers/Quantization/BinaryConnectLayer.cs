using AdderNet.Core.Engine;
using AdderNet.Core.Models;

namespace AdderNet.Core.Layers.Quantization;

/// <summary>
/// BinaryConnect (Courbariaux et al., 2015), deterministic: Y = X * sign(W). The gradient of sign(W) is taken for W's own,
/// and W is clipped to [-1, 1] after every update (<see cref="ParameterKind.ClippedWeight"/>).
/// </summary>
internal sealed class BinaryConnectLayer(int index, ConvolutionNode node, TensorSlot filters, BinaryScratch scratch, LayerContext context)
    : BinarizedLayer(index, node, filters, scratch, context)
{
    public override void Forward(ShardTape tape)
    {
        var shape = Shape(tape);
        Context.Kernels.Forward(shape, Input(tape, shape), FilterSigns(shape), [], Output(tape, shape), Threads(shape));
    }

    public override void Backward(ShardTape tape)
    {
        var shape = Shape(tape);
        var g = OutputGradient(tape, shape);
        Context.Kernels.FilterGradient(shape, Input(tape, shape), g, FilterGradient(tape), Threads(shape));
        if (tape.InputGradient(Index) is { IsEmpty: false } dx)
            Context.Kernels.InputGradient(shape, FilterSigns(shape), g, dx.Span[..shape.InputLength], Threads(shape));
    }
}
