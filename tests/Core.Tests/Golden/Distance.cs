using Xunit;

namespace AdderNet.Core.Tests.Golden;

internal static class Distance
{
    /// <summary>|actual - expected| / |expected|, L2 norms in double. Equal vectors are 0 apart, whatever their norm.</summary>
    public static double RelativeL2(ReadOnlySpan<float> actual, ReadOnlySpan<float> expected)
    {
        Assert.Equal(expected.Length, actual.Length);
        double difference = 0, size = 0;
        for (var i = 0; i < actual.Length; i++)
        {
            difference += ((double)actual[i] - expected[i]) * ((double)actual[i] - expected[i]);
            size += (double)expected[i] * expected[i];
        }

        return difference == 0 ? 0 : Math.Sqrt(difference) / Math.Sqrt(size);
    }

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }
}
