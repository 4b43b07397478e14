using AdderNet.Core.Kernels;
using Xunit;

namespace AdderNet.Core.Tests.Kernels;

public sealed class OrderGateTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(100);
    private readonly OrderGate gate = new();

    public void Dispose() => gate.Dispose();

    [Fact]
    public void Whoever_sleeps_passes_when_it_opens()
    {
        var passing = Sleeper();
        Assert.False(passing.Join(Moment));

        gate.Open();
        Assert.True(passing.Join(Patience));
    }

    [Fact]
    public void A_wake_that_comes_late_lets_nobody_pass_a_second_time()
    {
        // The opening thread loses its core halfway; the other passes, and sleeps until the next opening.
        gate.Count();
        gate.Pass();
        var passing = Sleeper();
        gate.Wake();
        Assert.False(passing.Join(Moment));

        gate.Open();
        Assert.True(passing.Join(Patience));
    }

    [Fact]
    public void A_wake_that_comes_late_takes_no_opening_away()
    {
        for (var opening = 0; opening < 20; opening++)
        {
            gate.Count();
            gate.Pass();
            var passing = Sleeper();
            gate.Wake();
            gate.Open();
            Assert.True(passing.Join(Patience));
        }

        var last = Sleeper();
        Assert.False(last.Join(Moment));
        gate.Open();
        Assert.True(last.Join(Patience));
    }

    /// <summary>A thread that waits at the gate, and no longer spins.</summary>
    private Thread Sleeper()
    {
        var thread = new Thread(gate.Pass) { IsBackground = true };
        thread.Start();
        Assert.True(SpinWait.SpinUntil(() => thread.ThreadState.HasFlag(ThreadState.WaitSleepJoin), Patience));
        return thread;
    }
}
