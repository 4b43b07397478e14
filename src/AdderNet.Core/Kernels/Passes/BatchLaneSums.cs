using System.Runtime.CompilerServices;

namespace AdderNet.Core.Kernels;

/// <summary>As <see cref="InputSums{TOps, TVector}"/>, with samples as lanes.</summary>
internal static unsafe class BatchLaneSums<TOps, TVector>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
{
    private const int Partials = SummationOrder.PixelLanes;

    /// <summary>The sum of each pixel's channels, [pixel, lane], from inputs [pixel, channel, lane].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void OfPixels(float* input, int pixels, int channels, int lanes, float* sums)
    {
        var partial = stackalloc float[Partials * 16];
        for (var pixel = 0; pixel < pixels; pixel++)
        {
            for (var lane = 0; lane < lanes; lane += TOps.Width)
            {
                var source = input + (nint)pixel * channels * lanes + lane;
                TOps.Store(sums + (nint)pixel * lanes + lane, channels == 1 ? TOps.Add(TOps.Broadcast(0f), TOps.Load(source)) : OfPixel(source, channels, lanes, partial));
            }
        }
    }

    /// <summary>The sums of one window's pixels for some vectors of lanes.</summary>
    /// <param name="pixels">The lanes of the window's first pixel.</param>
    /// <param name="rows">Rows of the window inside the map.</param>
    /// <param name="columns">Columns of the window inside the map.</param>
    /// <param name="rowStride">Elements between rows of <paramref name="pixels"/>.</param>
    /// <param name="columnStride">Elements between its columns.</param>
    /// <param name="vectors">Number of vectors.</param>
    /// <param name="sums">Receives the sums.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void OfWindow(float* pixels, int rows, int columns, nint rowStride, nint columnStride, int vectors, float* sums)
    {
        for (var vector = 0; vector < vectors; vector++, pixels += TOps.Width)
        {
            var sum = TOps.Broadcast(0f);
            for (var i = 0; i < rows; i++)
            {
                for (var j = 0; j < columns; j++)
                    sum = TOps.Add(sum, TOps.Load(pixels + i * rowStride + j * columnStride));
            }

            TOps.Store(sums + vector * TOps.Width, sum);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector OfPixel(float* source, int channels, int lanes, float* partial)
    {
        for (var i = 0; i < Partials; i++)
        {
            var sum = TOps.Broadcast(0f);
            for (var c = i; c < channels; c += Partials)
                sum = TOps.Add(sum, TOps.Load(source + (nint)c * lanes));
            TOps.Store(partial + i * TOps.Width, sum);
        }

        for (var half = Partials / 2; half > 0; half /= 2)
        {
            for (var i = 0; i < half; i++)
                TOps.Store(partial + i * TOps.Width, TOps.Add(TOps.Load(partial + i * TOps.Width), TOps.Load(partial + (i + half) * TOps.Width)));
        }

        return TOps.Load(partial);
    }
}
