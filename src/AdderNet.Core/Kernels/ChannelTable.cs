using System.Buffers;

namespace AdderNet.Core.Kernels;

/// <summary>A few float32 coefficients of each channel, from the shared pool.</summary>
internal readonly ref struct ChannelTable(int channels, int rows)
{
    private readonly float[] rented = ArrayPool<float>.Shared.Rent(channels * rows);

    public Span<float> this[int row] => rented.AsSpan(row * channels, channels);

    public void Dispose() => ArrayPool<float>.Shared.Return(rented);
}
