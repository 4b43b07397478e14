using AdderNet.Cli.Benchmarks;
using Xunit;

namespace AdderNet.Cli.Tests;

public sealed class WarmUpTests
{
    [Fact]
    public void It_lasts_until_the_compiler_has_rested_for_three_seconds()
    {
        var clock = new HandClock();
        var warmUp = new WarmUp(clock, TimeSpan.FromSeconds(60));
        var compiling = TimeSpan.Zero;
        for (var second = 0; second < 8; second++)
        {
            Assert.True(warmUp.Goes(compiling), $"second {second}");
            clock.Seconds++;
            compiling += TimeSpan.FromSeconds(0.3);
        }

        for (var second = 8; second < 11; second++)
        {
            Assert.True(warmUp.Goes(compiling), $"second {second}");
            clock.Seconds++;
        }

        Assert.False(warmUp.Goes(compiling + TimeSpan.FromMilliseconds(20)));
    }

    [Fact]
    public void It_ends_though_the_compiler_never_rests()
    {
        var clock = new HandClock();
        var warmUp = new WarmUp(clock, TimeSpan.FromSeconds(5));
        for (var second = 0; second < 5; second++, clock.Seconds++)
            Assert.True(warmUp.Goes(TimeSpan.FromSeconds(second)));
        Assert.False(warmUp.Goes(TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public void Without_time_there_is_none() => Assert.False(new WarmUp(new HandClock(), TimeSpan.Zero).Goes(TimeSpan.FromSeconds(1)));

    [Fact]
    public void Rounds_longer_than_the_window_are_judged_one_by_one()
    {
        var clock = new HandClock();
        var warmUp = new WarmUp(clock, TimeSpan.FromSeconds(60));
        Assert.True(warmUp.Goes(TimeSpan.Zero));
        clock.Seconds = 10;
        Assert.True(warmUp.Goes(TimeSpan.FromSeconds(1)));
        clock.Seconds = 20;
        Assert.False(warmUp.Goes(TimeSpan.FromSeconds(1.05)));
    }

    private sealed class HandClock : TimeProvider
    {
        public long Seconds { get; set; } = 1;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Seconds;
    }
}
