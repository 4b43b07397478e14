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
        var (x, y) = (tape.Output(node.Input), tape.Output(Index));
        Context.Threads.Split(tape.Samples * node.Out.Height, (first, end) =>
        {
            for (var line = first; line < end; line++)
                ForwardLine(x, y, line / node.Out.Height, line % node.Out.Height);
        });
    }

    public override void Backward(ShardTape tape)
    {
        if (tape.InputGradient(Index) is not { } dx)
            return;
        var (x, g) = (tape.Output(node.Input), tape.OutputGradient(Index));
        // Windows may overlap, so one sample's gradient is gathered by one thread, in the order of the outputs.
        Context.Threads.Split(tape.Samples, (first, end) =>
        {
            Array.Clear(dx, first * node.In.Elements, (end - first) * node.In.Elements);
            for (var line = first * node.Out.Height; line < end * node.Out.Height; line++)
                BackwardLine(x, g, dx, line / node.Out.Height, line % node.Out.Height);
        });
    }

    private void ForwardLine(float[] x, float[] y, int sample, int row)
    {
        var channels = node.Out.Channels;
        var target = (sample * node.Out.Height + row) * node.Out.Width * channels;
        for (var column = 0; column < node.Out.Width; column++)
        {
            for (var c = 0; c < channels; c++)
                y[target++] = x[Largest(x, sample, row, column, c)];
        }
    }

    private void BackwardLine(float[] x, float[] g, float[] dx, int sample, int row)
    {
        var channels = node.Out.Channels;
        var source = (sample * node.Out.Height + row) * node.Out.Width * channels;
        for (var column = 0; column < node.Out.Width; column++)
        {
            for (var c = 0; c < channels; c++)
                dx[Largest(x, sample, row, column, c)] += g[source++];
        }
    }

    /// <summary>Place of the first largest element of a window.</summary>
    private int Largest(float[] x, int sample, int row, int column, int channel)
    {
        var (top, left) = (row * node.Stride - node.Padding, column * node.Stride - node.Padding);
        var (bottom, right) = (Math.Min(top + node.Kernel, node.In.Height), Math.Min(left + node.Kernel, node.In.Width));
        (top, left) = (Math.Max(top, 0), Math.Max(left, 0));
        var image = sample * node.In.Height;
        var best = ((image + top) * node.In.Width + left) * node.In.Channels + channel;
        for (var i = top; i < bottom; i++)
        {
            var place = ((image + i) * node.In.Width + left) * node.In.Channels + channel;
            for (var j = left; j < right; j++, place += node.In.Channels)
            {
                if (x[place] > x[best])
                    best = place;
            }
        }

        return best;
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
