namespace AdderNet.Cli.Benchmarks;

/// <summary>Seconds of one call, sampled in several rounds; at least one sample.</summary>
internal sealed class Timing
{
    private readonly double[] sorted;

    public Timing(IEnumerable<double> seconds)
    {
        sorted = [.. seconds.Order()];
        ArgumentOutOfRangeException.ThrowIfZero(sorted.Length, nameof(seconds));
    }

    public double Minimum => sorted[0];

    public double Median => MedianOf(sorted);

    /// <summary>The median of any values, at least one.</summary>
    public static double MedianOf(IEnumerable<double> values)
    {
        double[] ordered = [.. values.Order()];
        return (ordered[(ordered.Length - 1) / 2] + ordered[ordered.Length / 2]) / 2;
    }
}
