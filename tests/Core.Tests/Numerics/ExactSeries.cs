using System.Numerics;

namespace AdderNet.Core.Tests.Numerics;

/// <summary>exp, log and cos by Taylor series in fixed-point integers with 1400 fractional bits: the oracle of DeterministicMath.</summary>
internal static class ExactSeries
{
    private const int Bits = 1400;
    private static readonly BigInteger One = BigInteger.One << Bits;
    private static readonly BigInteger Ln2 = LogOf(2 * One);
    private static readonly BigInteger Pi = 4 * (4 * ArcTangentOfInverse(5) - ArcTangentOfInverse(239));

    public static BigInteger Exp(double x)
    {
        // exp(x) = exp(x / 2^20)^(2^20)
        var r = FromDouble(x) >> 20;
        BigInteger sum = One, term = One;
        for (var n = 1; !term.IsZero && n < 200; n++)
        {
            term = (term * r >> Bits) / n;
            sum += term;
        }

        for (var i = 0; i < 20; i++)
            sum = sum * sum >> Bits;
        return sum;
    }

    public static BigInteger Log(double x)
    {
        var exponent = Math.ILogB(x);
        return exponent * Ln2 + LogOf(FromDouble(Math.ScaleB(x, -exponent)));
    }

    public static BigInteger Cos(double x)
    {
        var r = BigInteger.Remainder(FromDouble(Math.Abs(x)), 2 * Pi);
        BigInteger sum = One, term = One;
        for (var n = 1; n < 400 && !term.IsZero; n++)
        {
            term = -((term * r >> Bits) * r >> Bits) / ((2 * n - 1) * (2 * n));
            sum += term;
        }

        return sum;
    }

    /// <summary>|actual - exact| in units in the last place of the exact value.</summary>
    public static double UlpsBetween(double actual, BigInteger exact)
    {
        var exponent = Math.Max((int)(BigInteger.Abs(exact).GetBitLength() - 1) - Bits, -1022);
        var ulp = BigInteger.One << (Bits + exponent - 52);
        var hundredths = BigInteger.Abs(FromDouble(actual) - exact) * 10000 / ulp;
        return (double)hundredths / 10000;
    }

    private static BigInteger FromDouble(double x)
    {
        var bits = BitConverter.DoubleToInt64Bits(x);
        var exponent = (int)(bits >> 52 & 0x7FF);
        var mantissa = bits & 0xFFFFFFFFFFFFF | (exponent == 0 ? 0 : 1L << 52);
        var shift = Bits + Math.Max(exponent, 1) - 1075;
        var value = shift >= 0 ? (BigInteger)mantissa << shift : (BigInteger)mantissa >> -shift;
        return bits < 0 ? -value : value;
    }

    private static BigInteger LogOf(BigInteger m)
    {
        var s = ((m - One) << Bits) / (m + One);
        var square = s * s >> Bits;
        BigInteger sum = 0, power = s;
        for (var n = 1; !power.IsZero && n < 4000; n += 2)
        {
            sum += power / n;
            power = power * square >> Bits;
        }

        return 2 * sum;
    }

    private static BigInteger ArcTangentOfInverse(int n)
    {
        BigInteger sum = 0, power = One / n;
        for (var i = 0; !power.IsZero; i++)
        {
            sum += (i % 2 == 0 ? power : -power) / (2 * i + 1);
            power /= n * n;
        }

        return sum;
    }
}
