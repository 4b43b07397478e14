using AdderNet.Cli.Benchmarks.Exchange;
using AdderNet.Core.Sharding;
using AdderNet.Worker.Exchange;
using AdderNet.Worker.Membership;
using Xunit;

namespace AdderNet.Cli.Tests;

/// <summary>The model counts what the exchange does.</summary>
public sealed class ExchangeCostTests
{
    [Theory]
    [InlineData(4, 0)]
    [InlineData(4, 2)]
    [InlineData(64, 8)]
    [InlineData(64, 16)]
    [InlineData(96, 32)]
    public void Pieces_and_bytes_are_those_of_the_plan(int count, int groupSize)
    {
        const int Length = 960_000;
        const int BucketBytes = 20_000;
        var members = Enumerable.Range(0, count).Select(i => new MemberInfo($"w{i}", "", new ShardRange(i, i + 1), true)).ToList();
        var groups = new ExchangeGroups(members, groupSize);
        var buckets = BucketPlan.Cut(Length, BucketBytes, members);
        var shape = new ExchangeShape(count, groupSize, Length * 4.0, BucketBytes);
        Assert.Equal(buckets.Count, shape.Buckets);
        Assert.All(members, me =>
        {
            var (pieces, beyond) = (0, 0);
            var mine = groups.GroupOf(me);
            foreach (var bucket in buckets)
            {
                var holder = groups.Holder(bucket, mine);
                if (holder == me)
                    pieces += groups.Members(mine).Count - 1;
                if (bucket.Owner == me)
                    beyond += groups.Count - 1;
                else if (holder == me)
                    beyond++;
                else
                    pieces++;
            }

            Assert.Equal(shape.Pieces, pieces + beyond, 6);
            Assert.Equal(shape.TrafficBetweenGroups, beyond * Length * 4.0 / buckets.Count, 3);
        });
    }

    [Fact]
    public void The_slowest_of_link_switches_and_processor_decides_and_hops_come_on_top()
    {
        var shape = new ExchangeShape(4, 2, 4e6, 500_000);
        var processor = new ProcessorCost(0, 0, 1e-9, 1);
        var fast = new NetworkCost(1e10, 0.001, 1);
        Assert.Equal("processor", ExchangeCost.Of(shape, processor, fast, shape.TrafficBetweenGroups).Bound);
        Assert.Equal(6e-3 + (5 * (0.001 + 5e-5)), ExchangeCost.Of(shape, processor, fast, shape.TrafficBetweenGroups).Seconds, 9);
        Assert.Equal("link", ExchangeCost.Of(shape, processor, fast with { BytesPerSecond = 1e8 }, shape.TrafficBetweenGroups).Bound);
        Assert.Equal("between switches", ExchangeCost.Of(shape, processor, new NetworkCost(1e8, 0.001, 8), shape.TrafficBetweenGroups).Bound);
        Assert.Equal(2 * shape.TrafficBetweenGroups, shape.TrafficBeyondWithoutGroups(2));
    }

    [Fact]
    public void A_processor_pays_for_the_exchange_once_and_for_pieces_and_bytes_on_its_cores()
    {
        // Eight buckets of a quarter of a megabyte; three quarters of them as sums and as means.
        var shape = new ExchangeShape(4, 0, 2e6, 500_000);
        Assert.Equal((12, 3e6), (shape.Pieces, shape.Traffic));
        Assert.Equal(1e-3 + (((12 * 2e-4) + (3e6 * 1e-9)) / 2), new ProcessorCost(1e-3, 2e-4, 1e-9, 2).Of(shape), 9);
    }

    [Theory]
    [InlineData(1, 0, 0)]
    [InlineData(4, 0, 3)]
    [InlineData(4, 1, 3)]
    [InlineData(4, 4, 3)]
    [InlineData(4, 2, 5)]
    [InlineData(5, 4, 5)]
    public void Messages_wait_for_one_another_as_often_as_hands_pass_a_sum_on(int members, int groupSize, int hops) =>
        Assert.Equal(hops, new ExchangeShape(members, groupSize, 4e6, 500_000).Hops);

    [Fact]
    public void The_forecast_is_made_of_what_the_document_says()
    {
        var forecast = Assert.Single(ExchangeForecast.Table(102e6, 4 << 20), f => (f.Workers, f.GigabitsPerSecond) == (64, 10));

        // 64 workers, two gradients less a sixty-fourth each way; seven eighths of one from beyond the switch without groups of eight, four times oversubscribed.
        var (link, bucket) = (1.25e9, 102e6 / 64 / 1.25e9);
        Assert.Equal((8, "between switches", "link"), (forecast.GroupSize, forecast.FlatBound, forecast.GroupedBound));
        Assert.Equal(1e3 * ((2 * 102e6 * 7 / 8 * 4 / link) + (3 * (50e-6 + bucket))), forecast.Flat, 6);
        Assert.Equal(1e3 * ((2 * 102e6 * 63 / 64 / link) + (5 * (50e-6 + bucket))), forecast.Grouped, 6);
    }

    [Fact]
    public async Task The_forecast_is_printed_without_measuring()
    {
        var result = await CliProcess.RunAsync("bench", "exchange", "--model");

        Assert.Equal((0, ""), (result.ExitCode, result.Errors));
        Assert.Equal(12, result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Contains("1024 workers, 100 Gbit/s", result.Output, StringComparison.Ordinal);
    }
}
