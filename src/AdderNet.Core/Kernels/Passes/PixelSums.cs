using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace AdderNet.Core.Kernels;

/// <summary>The sum of a pixel's channels, in 16 interleaved lanes that fold to one.</summary>
internal static unsafe class PixelSums<TOps, TVector>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
{
    private const int Lanes = SummationOrder.PixelLanes;

    /// <summary>Pixels of 16 channels that are summed side by side.</summary>
    private const int Together = 8;

    /// <param name="source">What offsets count from.</param>
    /// <param name="offsets">Each pixel's first channel.</param>
    /// <param name="pixels">Number of pixels.</param>
    /// <param name="channels">Channels of a pixel.</param>
    /// <param name="sums">Receives each pixel's sum.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Sum(float* source, int* offsets, int pixels, int channels, float* sums)
    {
        var pixel = 0;
        for (; Avx.IsSupported && channels == Lanes && pixel <= pixels - Together; pixel += Together)
            Fold(source, offsets + pixel).Store(sums + pixel);
        for (; Sse.IsSupported && channels % Lanes == 0 && pixel <= pixels - 4; pixel += 4)
        {
            Fold(
                Quarter(source + offsets[pixel], channels),
                Quarter(source + offsets[pixel + 1], channels),
                Quarter(source + offsets[pixel + 2], channels),
                Quarter(source + offsets[pixel + 3], channels)).Store(sums + pixel);
        }

        for (; pixel < pixels; pixel++)
            sums[pixel] = channels < Lanes ? SumFew(source + offsets[pixel], channels) : SumMany(source + offsets[pixel], channels);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float SumMany(float* source, int channels)
    {
        var partial = stackalloc float[Lanes];
        for (var lane = 0; lane < Lanes; lane += TOps.Width)
        {
            var sum = TOps.Broadcast(0f);
            for (var at = lane; at <= channels - Lanes + lane; at += Lanes)
                sum = TOps.Add(sum, TOps.Load(source + at));
            TOps.Store(partial + lane, sum);
        }

        for (var c = channels - channels % Lanes; c < channels; c++)
            partial[c % Lanes] += source[c];
        return Fold(partial, Lanes);
    }

    /// <summary>Fewer channels than lanes: each lane holds one at most, and lanes of +0 need no folding.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float SumFew(float* source, int channels)
    {
        var lanes = (int)BitOperations.RoundUpToPowerOf2((uint)channels);
        var partial = stackalloc float[Lanes];
        for (var c = 0; c < channels; c++)
            partial[c] = 0f + source[c];
        for (var c = channels; c < lanes; c++)
            partial[c] = 0f;
        return Fold(partial, lanes);
    }

    /// <summary>The sums of eight pixels of 16 channels; each step folds two vectors of partial sums into one, in the order in which one pixel's are folded.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Fold(float* source, int* offsets)
    {
        var (a, b) = (FoldFour(source, offsets), FoldFour(source, offsets + 2));
        return Avx.Add(Avx.Shuffle(a, b, 0b10_00_10_00), Avx.Shuffle(a, b, 0b11_01_11_01));
    }

    /// <summary>Pixels 0, 1 and 4, 5, each folded to 2 lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> FoldFour(float* source, int* offsets)
    {
        var (a, b) = (FoldPair(source, offsets), FoldPair(source, offsets + 1));
        return Avx.Add(Avx.UnpackLow(a.AsDouble(), b.AsDouble()).AsSingle(), Avx.UnpackHigh(a.AsDouble(), b.AsDouble()).AsSingle());
    }

    /// <summary>Pixels 0 and 4, each folded to 4 lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> FoldPair(float* source, int* offsets)
    {
        var (a, b) = (Half(source + offsets[0]), Half(source + offsets[4]));
        return Avx.Add(Avx.Permute2x128(a, b, 0x20), Avx.Permute2x128(a, b, 0x31));
    }

    /// <summary>A pixel's 16 lanes, folded to 8.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Half(float* pixel) => Avx.Add(Vector256.Load(pixel), Vector256.Load(pixel + Lanes / 2));

    /// <summary>A pixel's 16 lanes, folded to 4.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Quarter(float* source, int channels)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            Vector512<float> all = default;
            for (var end = source + channels; source < end; source += Lanes)
                all += Vector512.Load(source);
            var half = all.GetLower() + all.GetUpper();
            return half.GetLower() + half.GetUpper();
        }

        Vector128<float> a = default, b = default, c = default, d = default;
        for (var end = source + channels; source < end; source += Lanes)
        {
            a += Vector128.Load(source);
            b += Vector128.Load(source + 4);
            c += Vector128.Load(source + 8);
            d += Vector128.Load(source + 12);
        }

        return (a + c) + (b + d);
    }

    /// <summary>Four pixels' sums, from their 4 lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Fold(Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d)
    {
        // Lanes 0 and 1 plus lanes 2 and 3: of a and b, then of c and d.
        var ab = Sse.MoveLowToHigh(a, b) + Sse.MoveHighToLow(b, a);
        var cd = Sse.MoveLowToHigh(c, d) + Sse.MoveHighToLow(d, c);
        return Sse.Shuffle(ab, cd, 0b10_00_10_00) + Sse.Shuffle(ab, cd, 0b11_01_11_01);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Fold(float* partial, int lanes)
    {
        if (lanes == Lanes && Vector128.IsHardwareAccelerated)
        {
            var four = (Vector128.Load(partial) + Vector128.Load(partial + 8)) + (Vector128.Load(partial + 4) + Vector128.Load(partial + 12));
            var two = four + Vector128.Shuffle(four, Vector128.Create(2, 3, 2, 3));
            return two[0] + two[1];
        }

        for (var half = lanes / 2; half > 0; half /= 2)
        {
            for (var lane = 0; lane < half; lane++)
                partial[lane] += partial[lane + half];
        }

        return partial[0];
    }
}
