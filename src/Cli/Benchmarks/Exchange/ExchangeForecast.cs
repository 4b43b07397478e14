using System.Globalization;

namespace AdderNet.Cli.Benchmarks.Exchange;

/// <summary>One line: an exchange of a gradient among so many workers, with and without groups.</summary>
/// <param name="Workers">Members, each on a machine of its own.</param>
/// <param name="GroupSize">As <c>exchange.group_size</c>; as many machines are below one switch.</param>
/// <param name="GigabitsPerSecond">Of each machine.</param>
/// <param name="Flat">Milliseconds without groups.</param>
/// <param name="FlatBound">What needs the most of them.</param>
/// <param name="Grouped">Milliseconds with groups.</param>
/// <param name="GroupedBound">What needs the most of them.</param>
internal sealed record ExchangeForecast(int Workers, int GroupSize, int GigabitsPerSecond, double Flat, string FlatBound, double Grouped, string GroupedBound)
{
    /// <summary>As measured on one machine (docs/exchange.md), with eight cores for the exchange.</summary>
    public static readonly ProcessorCost Processor = new(0, 192e-6, 1.12e-9, 8);

    /// <summary>A datacentre's: some tens of microseconds through the stacks, switches four times oversubscribed.</summary>
    private const double Latency = 50e-6;
    private const double Oversubscription = 4;

    /// <summary>8 to 1,024 workers on 10, 25 and 100 Gbit/s.</summary>
    /// <param name="bytes">Of the gradient.</param>
    /// <param name="bucketBytes">Target size of a bucket.</param>
    public static IReadOnlyList<ExchangeForecast> Table(double bytes, double bucketBytes) =>
        [.. from rate in (int[])[10, 25, 100] from sizes in ((int, int)[])[(8, 4), (64, 8), (512, 32), (1024, 32)] select Of(sizes.Item1, sizes.Item2, rate, bytes, bucketBytes)];

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Workers,5} workers, {GigabitsPerSecond,3} Gbit/s: {Flat,6:0.0} ms ({FlatBound}), in groups of {GroupSize,2}: {Grouped,6:0.0} ms ({GroupedBound})");

    private static ExchangeForecast Of(int workers, int groupSize, int gigabits, double bytes, double bucketBytes)
    {
        var network = new NetworkCost(gigabits * 1e9 / 8, Latency, Oversubscription);
        var flat = new ExchangeShape(workers, 0, bytes, bucketBytes);
        var grouped = flat with { GroupSize = groupSize };
        var (without, withoutBound) = ExchangeCost.Of(flat, Processor, network, flat.TrafficBeyondWithoutGroups(grouped.Groups));
        var (with, withBound) = ExchangeCost.Of(grouped, Processor, network, grouped.TrafficBetweenGroups);
        return new ExchangeForecast(workers, groupSize, gigabits, without * 1e3, withoutBound, with * 1e3, withBound);
    }
}
