using System.Runtime.CompilerServices;

namespace AdderNet.Core.Layers.Normalization;

/// <summary>
/// The inner loops: one vector of a group's lanes over consecutive groups, in order. Products and sums are rounded on their
/// own, in double; what is stored is rounded once to float32.
/// </summary>
/// <remarks>Loops are compiled optimised at once: in their first, unoptimised form vectors run some 20 times slower.</remarks>
internal static unsafe class NormLoops<TOps, TWide, TNarrow, TTail>
    where TOps : struct, IChannelOps<TWide, TNarrow>
    where TWide : unmanaged
    where TNarrow : unmanaged
    where TTail : struct, INormTail
{
    /// <summary>first += x - mean; second += (x - mean)^2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Moments(in NormOperands o, int lane, int group, int end, double* first, double* second)
    {
        var (sum, squares, pivot) = (TOps.Load(first + lane), TOps.Load(second + lane), TOps.Load(o.Mean + lane));
        long stride = o.Lanes;
        var at = group * stride + lane;
        for (; group < end; group++, at += stride)
        {
            var distance = TOps.Subtract(TOps.Widen(TOps.Load(o.X + at)), pivot);
            sum = TOps.Add(sum, distance);
            squares = TOps.Add(squares, TOps.Multiply(distance, distance));
        }

        TOps.Store(first + lane, sum);
        TOps.Store(second + lane, squares);
    }

    /// <summary>y = (x - mean) * scale + shift, then the tail.</summary>
    /// <returns>Whether a value was not finite before the ReLU.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool Normalize(in NormOperands o, int lane, int group, int end)
    {
        var (mean, scale, shift) = (TOps.Load(o.Mean + lane), TOps.Load(o.Scale + lane), TOps.Load(o.Shift + lane));
        var trouble = default(TNarrow);
        long stride = o.Lanes;
        var at = group * stride + lane;
        for (; group < end; group++, at += stride)
        {
            var value = TOps.Add(TOps.Multiply(TOps.Subtract(TOps.Widen(TOps.Load(o.X + at)), mean), scale), shift);
            if (TTail.Adds)
                value = TOps.Add(value, TOps.Widen(TOps.Load(o.Other + at)));
            var output = TOps.Narrow(value);
            trouble = TOps.Trouble(trouble, output);
            TOps.Store(o.Y + at, TTail.Rectifies ? TOps.Gate(output, output) : output);
        }

        return TOps.IsTrouble(trouble);
    }

    /// <summary>first += g; second += g * (x - mean), with g closed where the ReLU is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void GradientSums(in NormOperands o, int lane, int group, int end, double* first, double* second)
    {
        var (sum, products, mean) = (TOps.Load(first + lane), TOps.Load(second + lane), TOps.Load(o.Mean + lane));
        var (scale, shift) = (TOps.Load(o.Scale + lane), TOps.Load(o.Shift + lane));
        long stride = o.Lanes;
        var at = group * stride + lane;
        for (; group < end; group++, at += stride)
        {
            var distance = TOps.Subtract(TOps.Widen(TOps.Load(o.X + at)), mean);
            var gradient = TOps.Load(o.G + at);
            if (TTail.Rectifies && TTail.Adds)
            {
                gradient = TOps.Gate(TOps.Load(o.Y + at), gradient);
                TOps.Store(o.G + at, gradient);
            }
            else if (TTail.Rectifies)
            {
                gradient = Open(distance, scale, shift, gradient);
            }

            var wide = TOps.Widen(gradient);
            sum = TOps.Add(sum, wide);
            products = TOps.Add(products, TOps.Multiply(wide, distance));
        }

        TOps.Store(first + lane, sum);
        TOps.Store(second + lane, products);
    }

    /// <summary>dx = scale * (g - average - (x - mean) * slope).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void InputGradient(in NormOperands o, int lane, int group, int end)
    {
        var (mean, scale, shift) = (TOps.Load(o.Mean + lane), TOps.Load(o.Scale + lane), TOps.Load(o.Shift + lane));
        var (average, slope) = (TOps.Load(o.Average + lane), TOps.Load(o.Slope + lane));
        long stride = o.Lanes;
        var at = group * stride + lane;
        for (; group < end; group++, at += stride)
        {
            var distance = TOps.Subtract(TOps.Widen(TOps.Load(o.X + at)), mean);
            var gradient = TOps.Load(o.G + at);
            if (TTail.Rectifies && !TTail.Adds)
                gradient = Open(distance, scale, shift, gradient);
            var centred = TOps.Subtract(TOps.Subtract(TOps.Widen(gradient), average), TOps.Multiply(distance, slope));
            TOps.Store(o.Dx + at, TOps.Narrow(TOps.Multiply(scale, centred)));
        }
    }

    /// <summary>The gradient where the ReLU is open. Its input is worked out again: that costs less than reading it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TNarrow Open(TWide distance, TWide scale, TWide shift, TNarrow gradient) =>
        TOps.Gate(TOps.Narrow(TOps.Add(TOps.Multiply(distance, scale), shift)), gradient);
}
