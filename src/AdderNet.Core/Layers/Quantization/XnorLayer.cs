using AdderNet.Core.Engine;
using AdderNet.Core.Kernels;
using AdderNet.Core.Models;

namespace AdderNet.Core.Layers.Quantization;

/// <summary>
/// XNOR-Net (Rastegari et al., 2016), with both scaling factors: Y[p,t] = K[p] alpha[t] sum_k sign(X[p,k]) sign(W[t,k]), alpha[t]
/// = mean |W[t]|, K[p] = mean over the window of the mean |X| over channels (<see cref="InputMagnitudes"/>). A padded element
/// has no sign and adds nothing. Backward, K is a constant: dX passes where |X| &lt;= 1, and dW[t,k] = dV[t,k] (1/n + alpha[t]
/// [|W| &lt;= 1]), where V = alpha sign(W) and n are the elements of a filter.
/// </summary>
internal sealed class XnorLayer(int index, ConvolutionNode node, TensorSlot filters, BinaryScratch scratch, LayerContext context)
    : BinarizedLayer(index, node, filters, scratch, context)
{
    public override void Forward(ShardTape tape)
    {
        var shape = Shape(tape);
        var output = IntegerOutput(tape, shape, OneBitInput.Sign);
        var positions = InputMagnitudes.OfPositions(shape, tape.Output(Node.Input), Scratch, Context.Threads);
        var alphas = FilterScales(shape);
        BinaryPasses.ScaleRows(output, positions, alphas, shape, Context.Threads);
    }

    public override void Backward(ShardTape tape)
    {
        var shape = Shape(tape);
        var scaled = ScaledGradient(tape, shape).AsSpan(0, shape.OutputLength);
        var alphas = FilterScales(shape);
        Context.Kernels.FilterGradient(shape, InputSigns(tape, shape), scaled, FilterGradient(tape), Threads(shape));
        ScaleFilterGradient(tape, shape, alphas);
        if (tape.InputGradient(Index) is not { IsEmpty: false } dx)
            return;
        var signs = FilterSigns(shape);
        for (var t = 0; t < shape.T; t++)
            Binarization.Scale(signs.Slice(t * shape.FilterElements, shape.FilterElements), alphas[t]);
        Context.Kernels.InputGradient(shape, signs, scaled, dx.Span[..shape.InputLength], Threads(shape));
        PassInside(tape, shape, dx, low: -1, high: 1, factor: 1);
    }

    private Span<float> InputSigns(ShardTape tape, ConvolutionShape shape)
    {
        var (x, signs) = (tape.Output(Node.Input), Scratch.Inputs(shape.InputLength));
        BinaryPasses.Signs(x, signs, shape.InputLength, Context.Threads);
        return signs.AsSpan(0, shape.InputLength);
    }

    private float[] FilterScales(in ConvolutionShape shape)
    {
        var (means, alphas) = (FilterMagnitudes(shape), Scratch.FilterScales(shape.T));
        for (var t = 0; t < shape.T; t++)
            alphas[t] = (float)means[t];
        return alphas;
    }

    /// <summary>K[p] G[p,t].</summary>
    private float[] ScaledGradient(ShardTape tape, ConvolutionShape shape)
    {
        var positions = InputMagnitudes.OfPositions(shape, tape.Output(Node.Input), Scratch, Context.Threads);
        var (g, scaled) = (tape.OutputGradient(Index), Scratch.Gradient(shape.OutputLength));
        BinaryPasses.ScaleGradient(g, positions, scaled, shape, Context.Threads);
        return scaled;
    }

    private void ScaleFilterGradient(ShardTape tape, in ConvolutionShape shape, float[] alphas)
    {
        var gradient = FilterGradient(tape);
        var weights = Filters;
        var elements = shape.FilterElements;
        var spread = 1f / elements;
        for (var t = 0; t < shape.T; t++)
        {
            for (var i = t * elements; i < (t + 1) * elements; i++)
                gradient[i] *= weights[i] >= -1 && weights[i] <= 1 ? spread + alphas[t] : spread;
        }
    }
}
