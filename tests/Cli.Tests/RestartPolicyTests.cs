using AdderNet.Cli.Training;
using Xunit;

namespace AdderNet.Cli.Tests;

public sealed class RestartPolicyTests
{
    [Fact]
    public void The_first_death_is_answered_at_once()
    {
        var (history, decision) = RestartPolicy.Decide(RestartHistory.None, "worker w1", 137, committedStep: 0, allowed: true);

        Assert.True(decision.Restart);
        Assert.Equal(TimeSpan.Zero, decision.Delay);
        Assert.Equal("worker w1 ended with status 137 at step 0; started again", decision.Reason);
        Assert.Equal(1, history.DeathsInARow);
    }

    [Fact]
    public void Deaths_without_a_committed_step_are_answered_ever_more_slowly_and_then_no_more()
    {
        var history = RestartHistory.None;
        var decisions = new List<RestartDecision>();
        for (var death = 0; death < RestartPolicy.MostDeathsInARow; death++)
        {
            (history, var decision) = RestartPolicy.Decide(history, "worker w1", 1, committedStep: 12, allowed: true);
            decisions.Add(decision);
        }

        Assert.Equal([0, 250, 500, 1000, 0], decisions.Select(decision => decision.Delay.TotalMilliseconds));
        Assert.Equal([true, true, true, true, false], decisions.Select(decision => decision.Restart));
        Assert.Contains("given up after 5 deaths without a committed step", decisions[^1].Reason);
    }

    [Fact]
    public void A_committed_step_between_two_deaths_makes_the_next_a_first_one()
    {
        var history = RestartHistory.None;
        for (ulong step = 1; step <= 100; step++)
        {
            (history, var decision) = RestartPolicy.Decide(history, "worker w1", 137, step, allowed: true);
            Assert.True(decision.Restart);
            Assert.Equal(TimeSpan.Zero, decision.Delay);
        }
    }

    [Fact]
    public void With_no_replace_a_dead_worker_stays_dead_and_the_reason_says_so()
    {
        var (_, decision) = RestartPolicy.Decide(RestartHistory.None, "worker w1", 137, committedStep: 3, allowed: false);

        Assert.False(decision.Restart);
        Assert.Contains("--no-replace", decision.Reason);
    }
}
