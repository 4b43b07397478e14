using AdderNet.Core.Kernels;

namespace AdderNet.Core.Layers.Quantization;

/// <summary>The windows of one shape: each thread takes one for its positions, and the next pass uses them again.</summary>
internal sealed class PackedWindows(ConvolutionShape shape, OneBitInput kind)
{
    private readonly Stack<PackedWindow> free = [];

    public ConvolutionShape Shape { get; } = shape;

    public PackedWindow Rent()
    {
        lock (free)
            return free.TryPop(out var window) ? window : new PackedWindow(Shape, kind);
    }

    public void Return(PackedWindow window)
    {
        lock (free)
            free.Push(window);
    }
}
