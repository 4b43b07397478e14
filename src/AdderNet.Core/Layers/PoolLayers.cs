using System.Numerics;
using AdderNet.Core.Engine;
using AdderNet.Core.Kernels;
using AdderNet.Core.Models;

namespace AdderNet.Core.Layers;

/// <summary>
/// Maximum over windows. Of equal values the first in row order counts, and its place alone receives the gradient; padding
/// takes no part.
/// </summary>
internal sealed class MaxPoolLayer(int index, MaxPoolNode node, LayerContext context) : LocalLayer(index, context)
{
    /// <summary>Elements of the window's maps that are worth a thread.</summary>
    private const int ThreadElements = 32 * 1024;

    public override StepPart Part => StepPart.Pooling;

    public override void Forward(ShardTape tape) => Context.Threads.Split(
        tape.Samples * node.Out.Height,
        new ForwardJob(this, tape.Output(node.Input), tape.Output(Index), tape.Winners(Index)),
        grain: 1 + ThreadElements * node.Out.Height / node.In.Elements);

    public override void Backward(ShardTape tape)
    {
        // Windows may overlap, so one thread adds a sample's gradient, in the order of the outputs.
        if (tape.InputGradient(Index) is { IsEmpty: false } dx)
        {
            Context.Threads.Split(
                tape.Samples, new BackwardJob(this, tape.OutputGradient(Index), tape.Winners(Index), dx), grain: 1 + ThreadElements / node.In.Elements);
        }
    }

    private void ForwardLine(ReadOnlySpan<float> x, Span<float> y, int[] winners, int line)
    {
        var channels = node.In.Channels;
        var image = x.Slice(line / node.Out.Height * node.In.Elements, node.In.Elements);
        var top = line % node.Out.Height * node.Stride - node.Padding;
        var (firstRow, endRow) = (Math.Max(top, 0), Math.Min(top + node.Kernel, node.In.Height));
        var endOfLine = (line + 1) * node.Out.Width * channels;
        for (var column = 0; column < node.Out.Width; column++)
        {
            var left = column * node.Stride - node.Padding;
            var (firstColumn, endColumn) = (Math.Max(left, 0), Math.Min(left + node.Kernel, node.In.Width));
            var window = new Window(
                (firstRow * node.In.Width + firstColumn) * channels, endRow - firstRow, endColumn - firstColumn, node.In.Width * channels, channels);
            var target = (line * node.Out.Width + column) * channels;
            var lastTap = window.First + (window.Rows - 1) * window.RowLength + (window.Columns - 1) * channels;
            for (var c = 0; c < channels; c += Vector<float>.Count)
            {
                // Lanes beyond the channels compute something that the next column, done after this one, overwrites.
                if (target + c + Vector<float>.Count <= endOfLine && lastTap + c + Vector<float>.Count <= image.Length)
                    TakeVector(image[c..], window, y[(target + c)..], winners.AsSpan(target + c));
                else
                    TakeEach(image[c..], window, y.Slice(target + c, Math.Min(Vector<float>.Count, channels - c)), winners.AsSpan(target + c));
            }
        }
    }

    private static void TakeVector(ReadOnlySpan<float> image, in Window window, Span<float> y, Span<int> winners)
    {
        var best = new Vector<float>(image[window.First..]);
        var places = new Vector<int>(window.First);
        for (var row = 0; row < window.Rows; row++)
        {
            var place = window.First + row * window.RowLength;
            for (var column = 0; column < window.Columns; column++, place += window.Channels)
            {
                var value = new Vector<float>(image[place..]);
                var larger = Vector.GreaterThan(value, best);
                best = Vector.ConditionalSelect(larger, value, best);
                places = Vector.ConditionalSelect(larger, new Vector<int>(place), places);
            }
        }

        best.CopyTo(y);
        places.CopyTo(winners);
    }

    private static void TakeEach(ReadOnlySpan<float> image, in Window window, Span<float> y, Span<int> winners)
    {
        for (var c = 0; c < y.Length; c++)
        {
            var taken = window.First;
            for (var row = 0; row < window.Rows; row++)
            {
                var place = window.First + row * window.RowLength;
                for (var column = 0; column < window.Columns; column++, place += window.Channels)
                    taken = image[place + c] > image[taken + c] ? place : taken;
            }

            y[c] = image[taken + c];
            winners[c] = taken;
        }
    }

    private readonly struct ForwardJob(MaxPoolLayer layer, ReadOnlyMemory<float> x, Memory<float> y, int[] winners) : ISplitJob
    {
        public void Run(int first, int end)
        {
            for (var line = first; line < end; line++)
                layer.ForwardLine(x.Span, y.Span, winners, line);
        }
    }

    private readonly struct BackwardJob(MaxPoolLayer layer, ReadOnlyMemory<float> g, int[] winners, Memory<float> dx) : ISplitJob
    {
        public void Run(int first, int end) => layer.BackwardSamples(g.Span, winners, dx.Span, first, end);
    }

    /// <summary>The part of a pooling window that lies within the image; lengths and places are in elements.</summary>
    private readonly record struct Window(int First, int Rows, int Columns, int RowLength, int Channels);

    private void BackwardSamples(ReadOnlySpan<float> g, int[] winners, Span<float> dx, int first, int end)
    {
        dx[(first * node.In.Elements)..(end * node.In.Elements)].Clear();
        for (var line = first * node.Out.Height; line < end * node.Out.Height; line++)
            BackwardLine(g, winners, dx, line);
    }

    private void BackwardLine(ReadOnlySpan<float> g, int[] winners, Span<float> dx, int line)
    {
        var channels = node.Out.Channels;
        var image = dx.Slice(line / node.Out.Height * node.In.Elements, node.In.Elements);
        var source = line * node.Out.Width * channels;
        for (var column = 0; column < node.Out.Width; column++)
        {
            for (var c = 0; c < channels; c++, source++)
                image[winners[source] + c] += g[source];
        }
    }
}

/// <summary>Mean over all pixels, summed in row order in double.</summary>
internal sealed class GlobalAveragePoolLayer(int index, GlobalAveragePoolNode node, LayerContext context) : LocalLayer(index, context)
{
    /// <summary>Channels that are summed side by side.</summary>
    private const int Chunk = 64;

    /// <summary>Elements that are worth a thread.</summary>
    private const int ThreadElements = 32 * 1024;

    public override StepPart Part => StepPart.Pooling;

    private int Chunks => (node.In.Channels + Chunk - 1) / Chunk;

    public override void Forward(ShardTape tape) => Context.Threads.Split(
        tape.Samples * Chunks,
        new ForwardJob(node, tape.Output(node.Input), tape.Output(Index)),
        grain: 1 + ThreadElements / (node.In.Pixels * Chunk));

    public override void Backward(ShardTape tape)
    {
        if (tape.InputGradient(Index) is { IsEmpty: false } dx)
            Context.Threads.Split(tape.Samples, new BackwardJob(node, tape.OutputGradient(Index), dx), grain: 1 + ThreadElements / node.In.Elements);
    }

    private readonly struct ForwardJob(GlobalAveragePoolNode node, ReadOnlyMemory<float> x, Memory<float> y) : ISplitJob
    {
        public void Run(int first, int end)
        {
            var channels = node.In.Channels;
            var chunks = (channels + Chunk - 1) / Chunk;
            var means = y.Span;
            Span<double> sums = stackalloc double[Chunk];
            for (var i = first; i < end; i++)
            {
                var (sample, channel) = (i / chunks, i % chunks * Chunk);
                var part = sums[..Math.Min(Chunk, channels - channel)];
                part.Clear();
                for (var pixel = 0; pixel < node.In.Pixels; pixel++)
                {
                    var row = x.Span.Slice(sample * node.In.Elements + pixel * channels + channel, part.Length);
                    for (var c = 0; c < part.Length; c++)
                        part[c] += row[c];
                }

                for (var c = 0; c < part.Length; c++)
                    means[sample * channels + channel + c] = (float)(part[c] / node.In.Pixels);
            }
        }
    }

    private readonly struct BackwardJob(GlobalAveragePoolNode node, ReadOnlyMemory<float> g, Memory<float> dx) : ISplitJob
    {
        public void Run(int first, int end)
        {
            var channels = node.In.Channels;
            var gradient = g.Span;
            for (var sample = first; sample < end; sample++)
            {
                var image = dx.Span.Slice(sample * node.In.Elements, node.In.Elements);
                for (var c = 0; c < channels; c++)
                    image[c] = gradient[sample * channels + c] / node.In.Pixels;
                for (var pixel = 1; pixel < node.In.Pixels; pixel++)
                    image[..channels].CopyTo(image[(pixel * channels)..]);
            }
        }
    }
}
