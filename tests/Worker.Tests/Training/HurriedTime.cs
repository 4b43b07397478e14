namespace AdderNet.Worker.Tests.Training;

/// <summary>A clock whose timers fire a hundred times sooner, for waits that are long by design.</summary>
internal sealed class HurriedTime : TimeProvider
{
    private const int Hurry = 100;
    private long waited;

    /// <summary>Sum of all waits asked for.</summary>
    public TimeSpan Waited => TimeSpan.FromTicks(Interlocked.Read(ref waited));

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime > TimeSpan.Zero)
            Interlocked.Add(ref waited, dueTime.Ticks);
        return base.CreateTimer(callback, state, dueTime > TimeSpan.Zero ? dueTime / Hurry : dueTime, period);
    }
}
