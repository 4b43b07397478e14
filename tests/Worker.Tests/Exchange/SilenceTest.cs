using AdderNet.Worker.Exchange;
using Xunit;

namespace AdderNet.Worker.Tests.Exchange;

/// <summary>Who is asked for a sign of life, and who is called silent.</summary>
public class SilenceTest
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(2);

    [Fact]
    public void A_neighbour_is_asked_after_a_fifth_of_the_lease_and_silent_after_a_whole_one()
    {
        var silence = new Silence(Lease);
        silence.Follow(["b", "a"], TimeSpan.Zero);
        for (var ms = 0; ms < 2000; ms += 200)
        {
            var (ask, silent) = silence.Look(TimeSpan.FromMilliseconds(ms));
            Assert.Equal(ms < 400 ? [] : ["a", "b"], ask);
            Assert.Empty(silent);
        }

        silence.Heard("a", TimeSpan.FromMilliseconds(1900));
        var late = silence.Look(TimeSpan.FromMilliseconds(2000));
        Assert.Equal(["b"], late.Ask);
        Assert.Equal(["b"], late.Silent);
        silence.Heard("b", TimeSpan.FromMilliseconds(2100));
        Assert.Empty(silence.Look(TimeSpan.FromMilliseconds(2200)).Silent);
    }

    [Fact]
    public void Who_looks_late_stood_still_itself_and_calls_nobody_silent_for_that()
    {
        var silence = new Silence(Lease);
        silence.Follow(["a"], TimeSpan.Zero);
        silence.Look(TimeSpan.Zero);

        Assert.Empty(silence.Look(TimeSpan.FromSeconds(60)).Silent);

        for (var ms = 200; ms < 2000; ms += 200)
            Assert.Empty(silence.Look(TimeSpan.FromMilliseconds(60_000 + ms)).Silent);
        Assert.Equal(["a"], silence.Look(TimeSpan.FromMilliseconds(62_000)).Silent);
    }

    [Fact]
    public void What_is_known_of_a_neighbour_outlives_the_generation_and_one_that_has_gone_is_forgotten()
    {
        var silence = new Silence(Lease);
        silence.Follow(["a", "b"], TimeSpan.Zero);
        for (var ms = 0; ms <= 1800; ms += 200)
            silence.Look(TimeSpan.FromMilliseconds(ms));

        silence.Follow(["a", "c"], TimeSpan.FromMilliseconds(1900));

        var look = silence.Look(TimeSpan.FromMilliseconds(2000));
        Assert.Equal(["a"], look.Ask);
        Assert.Equal(["a"], look.Silent);
        silence.Follow([], TimeSpan.FromMilliseconds(2100));
        Assert.Empty(silence.Look(TimeSpan.FromMilliseconds(2200)).Ask);
    }
}
