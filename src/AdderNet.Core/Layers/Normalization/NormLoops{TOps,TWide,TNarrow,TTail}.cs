using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace AdderNet.Core.Layers.Normalization;

/// <summary>
/// The inner loops over a tile: the first lanes of consecutive groups, a vector of lanes at a time down the groups, in order.
/// Products and sums are rounded on their own, in double; what is stored is rounded once to float32.
/// </summary>
/// <remarks>Loops are compiled optimised at once: in their first, unoptimised form vectors run some 20 times slower.</remarks>
internal static unsafe class NormLoops<TOps, TWide, TNarrow, TTail>
    where TOps : struct, IChannelOps<TWide, TNarrow>
    where TWide : unmanaged
    where TNarrow : unmanaged
    where TTail : struct, INormTail
{
    /// <summary>Elements from what is read to what is fetched meanwhile.</summary>
    private const int Ahead = 128;

    /// <summary>2^-150: the largest double that is 0 as float32, and so leaves a ReLU closed.</summary>
    private const double LargestClosed = 7.006492321624085e-46;

    /// <summary>first += x - mean; second += (x - mean)^2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Moments(in NormOperands o, int lanes, int group, int end, double* first, double* second)
    {
        nint stride = o.Lanes;
        float* x = o.X + group * stride;
        double* mean = o.Mean;
        var beyond = (end - group) * stride;
        for (nint lane = 0; lane < lanes; lane += TOps.Width)
        {
            var (sum, squares, pivot) = (TOps.Load(first + lane), TOps.Load(second + lane), TOps.Load(mean + lane));
            for (var at = lane; at < beyond; at += stride)
            {
                Prefetch(x + at);
                var distance = TOps.Subtract(TOps.Widen(TOps.Load(x + at)), pivot);
                sum = TOps.Add(sum, distance);
                squares = TOps.Add(squares, TOps.Multiply(distance, distance));
            }

            TOps.Store(first + lane, sum);
            TOps.Store(second + lane, squares);
        }
    }

    /// <summary>y = (x - mean) * scale + shift, then the tail.</summary>
    /// <returns>Whether a value was not finite before the ReLU.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool Normalize(in NormOperands o, int lanes, int group, int end)
    {
        var trouble = default(TNarrow);
        nint stride = o.Lanes;
        float* x = o.X + group * stride, other = o.Other + group * stride, y = o.Y + group * stride;
        double* means = o.Mean, scales = o.Scale, shifts = o.Shift;
        var beyond = (end - group) * stride;
        for (nint lane = 0; lane < lanes; lane += TOps.Width)
        {
            var (mean, scale, shift) = (TOps.Load(means + lane), TOps.Load(scales + lane), TOps.Load(shifts + lane));
            for (var at = lane; at < beyond; at += stride)
            {
                Prefetch(x + at);
                var value = TOps.Add(TOps.Multiply(TOps.Subtract(TOps.Widen(TOps.Load(x + at)), mean), scale), shift);
                if (TTail.Adds)
                {
                    Prefetch(other + at);
                    value = TOps.Add(value, TOps.Widen(TOps.Load(other + at)));
                }

                var output = TOps.Narrow(value);
                trouble = TOps.Trouble(trouble, output);
                TOps.Store(y + at, TTail.Rectifies ? TOps.Gate(output, output) : output);
            }
        }

        return TOps.IsTrouble(trouble);
    }

    /// <summary>first += g; second += g * (x - mean), with g + added, closed where the ReLU is, for g.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void GradientSums(in NormOperands o, int lanes, int group, int end, double* first, double* second)
    {
        nint stride = o.Lanes;
        float* x = o.X + group * stride, y = o.Y + group * stride, g = o.G + group * stride;
        var added = o.Added == null ? null : o.Added + group * stride;
        double* means = o.Mean, scales = o.Scale, shifts = o.Shift;
        var bound = TOps.Broadcast(LargestClosed);
        var beyond = (end - group) * stride;
        for (nint lane = 0; lane < lanes; lane += TOps.Width)
        {
            var (sum, products) = (TOps.Load(first + lane), TOps.Load(second + lane));
            var (mean, scale, shift) = (TOps.Load(means + lane), TOps.Load(scales + lane), TOps.Load(shifts + lane));
            for (var at = lane; at < beyond; at += stride)
            {
                Prefetch(x + at);
                Prefetch(g + at);
                var distance = TOps.Subtract(TOps.Widen(TOps.Load(x + at)), mean);
                var narrow = TOps.Load(g + at);
                if (TTail.Rectifies && TTail.Adds)
                {
                    if (added != null)
                    {
                        Prefetch(added + at);
                        narrow = TOps.Add(narrow, TOps.Load(added + at));
                    }

                    Prefetch(y + at);
                    narrow = TOps.Gate(TOps.Load(y + at), narrow);
                    TOps.Store(g + at, narrow);
                }

                var gradient = TOps.Widen(narrow);
                if (TTail.Rectifies && !TTail.Adds)
                    gradient = Open(distance, scale, shift, bound, gradient);
                sum = TOps.Add(sum, gradient);
                products = TOps.Add(products, TOps.Multiply(gradient, distance));
            }

            TOps.Store(first + lane, sum);
            TOps.Store(second + lane, products);
        }
    }

    /// <summary>dx = scale * (g - average - (x - mean) * slope).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void InputGradient(in NormOperands o, int lanes, int group, int end)
    {
        nint stride = o.Lanes;
        float* x = o.X + group * stride, g = o.G + group * stride, dx = o.Dx + group * stride;
        double* means = o.Mean, scales = o.Scale, shifts = o.Shift, averages = o.Average, slopes = o.Slope;
        var bound = TOps.Broadcast(LargestClosed);
        var beyond = (end - group) * stride;
        for (nint lane = 0; lane < lanes; lane += TOps.Width)
        {
            var (mean, scale, shift) = (TOps.Load(means + lane), TOps.Load(scales + lane), TOps.Load(shifts + lane));
            var (average, slope) = (TOps.Load(averages + lane), TOps.Load(slopes + lane));
            for (var at = lane; at < beyond; at += stride)
            {
                Prefetch(x + at);
                Prefetch(g + at);
                var distance = TOps.Subtract(TOps.Widen(TOps.Load(x + at)), mean);
                var gradient = TOps.Widen(TOps.Load(g + at));
                if (TTail.Rectifies && !TTail.Adds)
                    gradient = Open(distance, scale, shift, bound, gradient);
                var centred = TOps.Subtract(TOps.Subtract(gradient, average), TOps.Multiply(distance, slope));
                TOps.Store(dx + at, TOps.Narrow(TOps.Multiply(scale, centred)));
            }
        }
    }

    /// <summary>Asks for what is read some vectors later: maps that come from memory then take half as long.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(float* address)
    {
        if (Sse.IsSupported)
            Sse.Prefetch0(address + Ahead);
    }

    /// <summary>The gradient where the ReLU is open. Its input is worked out again: that costs less than reading it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TWide Open(TWide distance, TWide scale, TWide shift, TWide bound, TWide gradient) =>
        TOps.Gate(TOps.Add(TOps.Multiply(distance, scale), shift), bound, gradient);
}
