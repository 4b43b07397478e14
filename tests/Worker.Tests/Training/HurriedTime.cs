namespace AdderNet.Worker.Tests.Training;

/// <summary>A clock whose timers fire a hundred times sooner, for waits that are long by design.</summary>
internal sealed class HurriedTime : TimeProvider
{
    private const int Hurry = 100;
    private long waited;

    /// <summary>Sum of all waits asked for.</summary>
    public TimeSpan Waited => TimeSpan.FromTicks(Interlocked.Read(ref waited));

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new Timer(this, base.CreateTimer(callback, state, Hurried(dueTime), period));

    private TimeSpan Hurried(TimeSpan wait)
    {
        if (wait <= TimeSpan.Zero)
            return wait;
        Interlocked.Add(ref waited, wait.Ticks);
        return wait / Hurry;
    }

    /// <summary>Hurried whenever it is set anew, too.</summary>
    private sealed class Timer(HurriedTime time, ITimer timer) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(time.Hurried(dueTime), period);

        public void Dispose() => timer.Dispose();

        public ValueTask DisposeAsync() => timer.DisposeAsync();
    }
}
