using AdderNet.Core.Configuration;
using AdderNet.Core.Engine;
using AdderNet.Core.Kernels;
using AdderNet.Core.Models;

namespace AdderNet.Core.Layers;

/// <summary>What convolutions of every method share: geometry and the place of the filters.</summary>
internal abstract class FilterLayer(int index, ConvolutionNode node, TensorSlot filters, LayerContext context) : LocalLayer(index, context)
{
    /// <summary>Products (or differences) of a pass that are worth waking other threads for.</summary>
    private const long SharedWork = 4_000_000;

    public override bool CanOverflow => true;

    protected ConvolutionNode Node { get; } = node;

    protected ReadOnlySpan<float> Filters => FilterMemory.Span;

    protected ReadOnlyMemory<float> FilterMemory => Context.Parameters.AsMemory(filters.Offset, filters.Length);

    protected ConvolutionShape Shape(ShardTape tape) => new(
        tape.Samples, Node.In.Height, Node.In.Width, Node.In.Channels, Node.Out.Channels,
        Node.KernelHeight, Node.KernelWidth, Node.Stride, Node.Padding);

    /// <summary>The threads that a pass over the shape runs on: small ones take longer to share than to do.</summary>
    protected ComputeThreads Threads(in ConvolutionShape shape) =>
        (long)shape.OutputLength * shape.FilterElements < SharedWork ? Context.Threads.Alone : Context.Threads;

    protected ReadOnlySpan<float> Input(ShardTape tape, in ConvolutionShape shape) => tape.Output(Node.Input).Span[..shape.InputLength];

    protected Span<float> Output(ShardTape tape, in ConvolutionShape shape) => tape.Output(Index).Span[..shape.OutputLength];

    protected ReadOnlySpan<float> OutputGradient(ShardTape tape, in ConvolutionShape shape) =>
        tape.OutputGradient(Index).Span[..shape.OutputLength];

    protected Span<float> FilterGradient(ShardTape tape) => tape.Reduction.AsSpan(filters.Offset, filters.Length);
}

/// <summary>The adder layer of the paper: eq. 2 forward; eq. 5 or 4 for the filters and eq. 6-7 for the input backward.</summary>
internal sealed class AdderLayer(int index, ConvolutionNode node, TensorSlot filters, GradientKind gradient, LayerContext context)
    : FilterLayer(index, node, filters, context)
{
    public override StepPart Part => StepPart.AdderForward;

    public override void Forward(ShardTape tape)
    {
        var shape = Shape(tape);
        var x = Input(tape, shape);
        var y = Output(tape, shape);
        var run = SampleRuns.Of(shape);
        for (var first = 0; first < shape.N; first += run)
        {
            var part = shape with { N = Math.Min(run, shape.N - first) };
            Context.Kernels.AdderForward(
                part, x.Slice(first * Node.In.Elements, part.InputLength), Filters, y.Slice(first * Node.Out.Elements, part.OutputLength), Threads(shape));
        }
    }

    public override void Backward(ShardTape tape)
    {
        var shape = Shape(tape);
        var x = Input(tape, shape);
        var g = OutputGradient(tape, shape);
        if (gradient == GradientKind.Sign)
            Context.Kernels.AdderFilterGradientSign(shape, x, Filters, g, FilterGradient(tape), Threads(shape));
        else
            Context.Kernels.AdderFilterGradient(shape, x, Filters, g, FilterGradient(tape), Threads(shape));
        Context.Clock?.Charge(StepPart.AdderFilterGradient);
        if (tape.InputGradient(Index) is { IsEmpty: false } dx)
            InputGradient(shape, x, g, dx.Span);
        Context.Clock?.Charge(StepPart.AdderInputGradient);
    }

    private void InputGradient(in ConvolutionShape shape, ReadOnlySpan<float> x, ReadOnlySpan<float> g, Span<float> dx)
    {
        var run = SampleRuns.Of(shape);
        for (var first = 0; first < shape.N; first += run)
        {
            var part = shape with { N = Math.Min(run, shape.N - first) };
            var (input, output) = (first * Node.In.Elements, first * Node.Out.Elements);
            Context.Kernels.AdderInputGradient(
                part, x.Slice(input, part.InputLength), Filters, g.Slice(output, part.OutputLength), dx.Slice(input, part.InputLength), Threads(shape));
        }
    }
}

/// <summary>An ordinary convolution, with or without bias.</summary>
internal sealed class MultiplyLayer(int index, ConvolutionNode node, TensorSlot filters, TensorSlot? bias, LayerContext context)
    : FilterLayer(index, node, filters, context)
{
    public override StepPart Part => Node.Input == ModelDescription.Images ? StepPart.FirstConvolution : StepPart.Multiplying;

    public override void Forward(ShardTape tape)
    {
        var shape = Shape(tape);
        var shift = bias is null ? [] : Context.Parameters.AsSpan(bias.Offset, bias.Length);
        Context.Kernels.Forward(shape, Input(tape, shape), Filters, shift, Output(tape, shape), Threads(shape));
    }

    public override void Backward(ShardTape tape)
    {
        var shape = Shape(tape);
        var g = OutputGradient(tape, shape);
        Context.Kernels.FilterGradient(shape, Input(tape, shape), g, FilterGradient(tape), Threads(shape));
        if (bias is not null)
            SumPositions(g, tape.Reduction.AsSpan(bias.Offset, bias.Length));
        if (tape.InputGradient(Index) is { IsEmpty: false } dx)
            Context.Kernels.InputGradient(shape, Filters, g, dx.Span[..shape.InputLength], Threads(shape));
    }

    /// <summary>The bias gradient: each filter's sum over positions, in order, in double.</summary>
    private static void SumPositions(ReadOnlySpan<float> g, Span<float> sums)
    {
        var channels = sums.Length;
        for (var t = 0; t < channels; t++)
        {
            var sum = 0.0;
            for (var i = t; i < g.Length; i += channels)
                sum += g[i];
            sums[t] = (float)sum;
        }
    }
}
