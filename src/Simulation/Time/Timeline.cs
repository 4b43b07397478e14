namespace AdderNet.Simulation.Time;

/// <summary>Virtual time: what is due next happens next, and nothing takes time but what says so. Ties fall in the order they were planned.</summary>
internal sealed class Timeline
{
    private readonly PriorityQueue<Action, (long Ticks, long Order)> queue = new();
    private long planned;

    /// <summary>The present, since the simulation began.</summary>
    public TimeSpan Now { get; private set; }

    /// <summary>Events that have happened.</summary>
    public long Happened { get; private set; }

    /// <summary>Plans an event <paramref name="after"/> the present.</summary>
    public void In(TimeSpan after, Action happening) =>
        queue.Enqueue(happening, ((after > TimeSpan.Zero ? Now + after : Now).Ticks, planned++));

    /// <summary>Plans an event at a moment, at once if it is past.</summary>
    public void At(TimeSpan moment, Action happening) => In(moment - Now, happening);

    /// <summary>Lets the next event happen; false when none is planned.</summary>
    public bool Next()
    {
        if (!queue.TryDequeue(out var happening, out var due))
            return false;
        Now = TimeSpan.FromTicks(due.Ticks);
        Happened++;
        happening();
        return true;
    }
}
