using System.Numerics;
using AdderNet.Core.Models;

namespace AdderNet.Core.Layers;

/// <summary>
/// Maximum over windows. Of equal values the first in row order counts, and its place alone receives the gradient; padding
/// takes no part.
/// </summary>
internal sealed class MaxPoolLayer(int index, MaxPoolNode node, LayerContext context) : LocalLayer(index, context)
{
    public override void Forward(ShardTape tape)
    {
        var (x, y, winners) = (tape.Output(node.Input), tape.Output(Index), tape.Winners(Index));
        Context.Threads.Split(tape.Samples * node.Out.Height, (first, end) =>
        {
            for (var line = first; line < end; line++)
                ForwardLine(x, y, winners, line);
        });
    }

    public override void Backward(ShardTape tape)
    {
        if (tape.InputGradient(Index) is not { } dx)
            return;
        var (g, winners) = (tape.OutputGradient(Index), tape.Winners(Index));
        // Windows may overlap, so one thread adds a sample's gradient, in the order of the outputs.
        Context.Threads.Split(tape.Samples, (first, end) =>
        {
            Array.Clear(dx, first * node.In.Elements, (end - first) * node.In.Elements);
            for (var line = first * node.Out.Height; line < end * node.Out.Height; line++)
                BackwardLine(g, winners, dx, line);
        });
    }

    private void ForwardLine(float[] x, float[] y, int[] winners, int line)
    {
        var channels = node.In.Channels;
        var image = x.AsSpan(line / node.Out.Height * node.In.Elements, node.In.Elements);
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
                    TakeVector(image[c..], window, y.AsSpan(target + c), winners.AsSpan(target + c));
                else
                    TakeEach(image[c..], window, y.AsSpan(target + c, Math.Min(Vector<float>.Count, channels - c)), winners.AsSpan(target + c));
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

    /// <summary>The part of a pooling window that lies within the image; lengths and places are in elements.</summary>
    private readonly record struct Window(int First, int Rows, int Columns, int RowLength, int Channels);

    private void BackwardLine(float[] g, int[] winners, float[] dx, int line)
    {
        var channels = node.Out.Channels;
        var image = dx.AsSpan(line / node.Out.Height * node.In.Elements, node.In.Elements);
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
    public override void Forward(ShardTape tape)
    {
        var (x, y) = (tape.Output(node.Input), tape.Output(Index));
        var channels = node.In.Channels;
        Context.Threads.Split(tape.Samples * channels, (first, end) =>
        {
            for (var i = first; i < end; i++)
            {
                var place = i / channels * node.In.Elements + i % channels;
                var sum = 0.0;
                for (var pixel = 0; pixel < node.In.Pixels; pixel++, place += channels)
                    sum += x[place];
                y[i] = (float)(sum / node.In.Pixels);
            }
        });
    }

    public override void Backward(ShardTape tape)
    {
        if (tape.InputGradient(Index) is not { } dx)
            return;
        var g = tape.OutputGradient(Index);
        var channels = node.In.Channels;
        Context.Threads.Split(tape.Samples * node.In.Pixels, (first, end) =>
        {
            for (var pixel = first; pixel < end; pixel++)
            {
                var source = pixel / node.In.Pixels * channels;
                for (var c = 0; c < channels; c++)
                    dx[pixel * channels + c] = g[source + c] / node.In.Pixels;
            }
        });
    }
}
