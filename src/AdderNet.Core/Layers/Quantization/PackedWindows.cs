using AdderNet.Core.Kernels;

namespace AdderNet.Core.Layers.Quantization;

/// <summary>The windows of one shape, one for each thread that may want one at a time; made once.</summary>
internal sealed class PackedWindows
{
    private readonly Stack<PackedWindow> free = [];

    public PackedWindows(in ConvolutionShape shape, OneBitInput kind, int threads)
    {
        Shape = shape;
        for (var i = 0; i < threads; i++)
            free.Push(new PackedWindow(shape, kind));
    }

    public ConvolutionShape Shape { get; }

    public PackedWindow Rent()
    {
        lock (free)
            return free.Pop();
    }

    public void Return(PackedWindow window)
    {
        lock (free)
            free.Push(window);
    }
}
