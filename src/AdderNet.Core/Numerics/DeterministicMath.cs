namespace AdderNet.Core.Numerics;

/// <summary>
/// exp, log and cos from + - * / and integers only, so that their bits are the same on every machine; the C library's change
/// with its CPU dispatch. Errors stay below one unit in the last place (tests compare with series in exact integers).
/// </summary>
internal static class DeterministicMath
{
    /// <summary>Largest |x| that <see cref="Cos"/> takes: its reduction keeps all bits up to here.</summary>
    public const double LargestAngle = 1048576.0;

    // ln 2 = Ln2High + Ln2Low; the high part has 32 bits, so its product with an exponent is exact.
    private const double Ln2High = 0.6931471803691238;
    private const double Ln2Low = 1.9082149292705877e-10;
    private const double Log2OfE = 1.4426950408889634;

    // pi / 2 in pieces of 33 bits: products with a quadrant number below 2^20 are exact.
    private const double HalfPi1 = 1.5707963267341256;
    private const double HalfPi2 = 6.077100506303966e-11;
    private const double HalfPi3 = 2.0222662487111665e-21;
    private const double HalfPi4 = 8.4784276603689e-32;
    private const double TwoOverPi = 0.6366197723675814;

    private const double OverflowsExp = 709.782712893384;
    private const double VanishesExp = -745.1332191019412;

    /// <summary>e to the power of <paramref name="x"/>; infinity above 709.78, subnormal below -708.39, 0 below -745.13.</summary>
    public static double Exp(double x)
    {
        if (double.IsNaN(x))
            return x;
        if (x > OverflowsExp)
            return double.PositiveInfinity;
        if (x < VanishesExp)
            return 0.0;

        // x = k ln 2 + high - low with |high - low| <= ln(2) / 2.
        var k = (int)(x * Log2OfE + (x < 0 ? -0.5 : 0.5));
        var high = x - k * Ln2High;
        var low = k * Ln2Low;
        var r = high - low;
        var lost = (high - r) - low;

        // Taylor: r^14 / 14! is below 2^-57 here.
        var tail = 1.0 / 6227020800.0;
        tail = tail * r + 1.0 / 479001600.0;
        tail = tail * r + 1.0 / 39916800.0;
        tail = tail * r + 1.0 / 3628800.0;
        tail = tail * r + 1.0 / 362880.0;
        tail = tail * r + 1.0 / 40320.0;
        tail = tail * r + 1.0 / 5040.0;
        tail = tail * r + 1.0 / 720.0;
        tail = tail * r + 1.0 / 120.0;
        tail = tail * r + 1.0 / 24.0;
        tail = tail * r + 1.0 / 6.0;
        tail = tail * r + 0.5;
        var value = 1.0 + (r + (r * r * tail + lost * (1.0 + r)));

        // 2^k may be out of range while the product is not: two exact factors, the rounding only at the last.
        var half = k / 2;
        return value * PowerOfTwo(half) * PowerOfTwo(k - half);
    }

    /// <summary>Natural logarithm; -infinity at 0, NaN below.</summary>
    public static double Log(double x)
    {
        if (double.IsNaN(x) || x < 0)
            return double.NaN;
        if (x == 0)
            return double.NegativeInfinity;
        if (double.IsPositiveInfinity(x))
            return x;

        var exponent = 0;
        if (x < 2.2250738585072014E-308)
        {
            x *= 18014398509481984.0;
            exponent = -54;
        }

        // x = 2^exponent * m, m in [sqrt(1/2), sqrt(2)).
        var bits = BitConverter.DoubleToInt64Bits(x);
        exponent += (int)(bits >> 52) - 1023;
        var m = BitConverter.Int64BitsToDouble((bits & 0x000FFFFFFFFFFFFF) | 0x3FF0000000000000);
        if (m >= 1.4142135623730951)
        {
            m *= 0.5;
            exponent++;
        }

        // log m = 2 atanh(s) = 2s + s series with s = f / (2 + f), and f is exact.
        var f = m - 1.0;
        var s = f / (2.0 + f);
        var z = s * s;
        var series = 2.0 / 25.0;
        series = series * z + 2.0 / 23.0;
        series = series * z + 2.0 / 21.0;
        series = series * z + 2.0 / 19.0;
        series = series * z + 2.0 / 17.0;
        series = series * z + 2.0 / 15.0;
        series = series * z + 2.0 / 13.0;
        series = series * z + 2.0 / 11.0;
        series = series * z + 2.0 / 9.0;
        series = series * z + 2.0 / 7.0;
        series = series * z + 2.0 / 5.0;
        series = series * z + 2.0 / 3.0;
        series *= z;

        // 2s = f - f^2/2 + s f^2/2: all but f is small, so its rounding hardly counts.
        var halfSquare = 0.5 * f * f;
        var correction = s * (halfSquare + series);
        return exponent == 0
            ? f - (halfSquare - correction)
            : exponent * Ln2High - ((halfSquare - (correction + exponent * Ln2Low)) - f);
    }

    /// <summary>Cosine of <paramref name="x"/> radians; NaN for infinities.</summary>
    /// <exception cref="ArgumentOutOfRangeException">|x| exceeds <see cref="LargestAngle"/>.</exception>
    public static double Cos(double x)
    {
        if (!double.IsFinite(x))
            return double.NaN;
        x = Math.Abs(x);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(x, LargestAngle);

        var quadrant = (long)(x * TwoOverPi + 0.5);
        double k = quadrant;
        var (high, low) = Subtract(x - k * HalfPi1, k * HalfPi2);
        (high, var more) = Subtract(high, k * HalfPi3);
        low += more - k * HalfPi4;
        (high, low) = (high + low, low - ((high + low) - high));

        return (quadrant & 3) switch
        {
            0 => CosineNearZero(high, low),
            1 => -SineNearZero(high, low),
            2 => -CosineNearZero(high, low),
            _ => SineNearZero(high, low),
        };
    }

    /// <summary>cos(r + lost) for |r| up to pi/4 and lost below half a unit of r.</summary>
    private static double CosineNearZero(double r, double lost)
    {
        var z = r * r;
        var tail = -1.0 / 6402373705728000.0;
        tail = tail * z + 1.0 / 20922789888000.0;
        tail = tail * z - 1.0 / 87178291200.0;
        tail = tail * z + 1.0 / 479001600.0;
        tail = tail * z - 1.0 / 3628800.0;
        tail = tail * z + 1.0 / 40320.0;
        tail = tail * z - 1.0 / 720.0;
        tail = tail * z + 1.0 / 24.0;
        var half = 0.5 * z;
        var leading = 1.0 - half;
        return leading + (((1.0 - leading) - half) + (z * z * tail - r * lost));
    }

    /// <summary>sin(r + lost) for |r| up to pi/4 and lost below half a unit of r.</summary>
    private static double SineNearZero(double r, double lost)
    {
        var z = r * r;
        var tail = -1.0 / 121645100408832000.0;
        tail = tail * z + 1.0 / 355687428096000.0;
        tail = tail * z - 1.0 / 1307674368000.0;
        tail = tail * z + 1.0 / 6227020800.0;
        tail = tail * z - 1.0 / 39916800.0;
        tail = tail * z + 1.0 / 362880.0;
        tail = tail * z - 1.0 / 5040.0;
        tail = tail * z + 1.0 / 120.0;
        tail = tail * z - 1.0 / 6.0;
        return r + (r * (z * tail) + lost * (1.0 - 0.5 * z));
    }

    /// <summary>a - b as a rounded difference and what the rounding lost.</summary>
    private static (double Difference, double Lost) Subtract(double a, double b)
    {
        var difference = a - b;
        var subtracted = a - difference;
        return (difference, (a - (difference + subtracted)) + (subtracted - b));
    }

    private static double PowerOfTwo(int exponent) => BitConverter.Int64BitsToDouble((long)(exponent + 1023) << 52);
}
