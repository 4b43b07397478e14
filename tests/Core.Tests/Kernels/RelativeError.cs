namespace AdderNet.Core.Tests.Kernels;

internal static class RelativeError
{
    /// <summary>|actual - expected| / |expected| in the L2 norm.</summary>
    public static double L2(ReadOnlySpan<float> actual, ReadOnlySpan<double> expected)
    {
        double error = 0, size = 0;
        for (var i = 0; i < expected.Length; i++)
        {
            error += (actual[i] - expected[i]) * (actual[i] - expected[i]);
            size += expected[i] * expected[i];
        }

        return Math.Sqrt(error / size);
    }
}
