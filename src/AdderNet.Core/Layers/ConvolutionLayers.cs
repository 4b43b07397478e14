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
        SampleRuns.Each(shape, Threads(shape), new ForwardPass(this, tape.Output(Node.Input), tape.Output(Index)));
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
        if (!tape.InputGradient(Index).IsEmpty)
            SampleRuns.Each(shape, Threads(shape), new InputGradientPass(this, tape.Output(Node.Input), tape.OutputGradient(Index), tape.InputGradient(Index)));
        Context.Clock?.Charge(StepPart.AdderInputGradient);
    }

    /// <summary>Holds the maps themselves: threads share it, and a tape makes a map when it is first asked for.</summary>
    private readonly struct ForwardPass(AdderLayer layer, Memory<float> x, Memory<float> y) : ISamplePass
    {
        public void Run(in ConvolutionShape part, int first, ComputeThreads threads) => layer.Context.Kernels.AdderForward(
            part,
            x.Span.Slice(first * layer.Node.In.Elements, part.InputLength),
            layer.Filters,
            y.Span.Slice(first * layer.Node.Out.Elements, part.OutputLength),
            threads);
    }

    private readonly struct InputGradientPass(AdderLayer layer, Memory<float> x, Memory<float> g, Memory<float> dx) : ISamplePass
    {
        public void Run(in ConvolutionShape part, int first, ComputeThreads threads)
        {
            var (input, output) = (first * layer.Node.In.Elements, first * layer.Node.Out.Elements);
            layer.Context.Kernels.AdderInputGradient(
                part,
                x.Span.Slice(input, part.InputLength),
                layer.Filters,
                g.Span.Slice(output, part.OutputLength),
                dx.Span.Slice(input, part.InputLength),
                threads);
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
