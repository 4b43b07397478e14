namespace AdderNet.Simulation.Processes;

/// <summary>The one piece of work that a worker does; nothing of it happens any more once it was told to end.</summary>
internal sealed class WorkInProgress(SimulatedWorker self)
{
    private bool aborted;

    /// <summary>Its number.</summary>
    public long Current { get; private set; }

    public void Begin(long number) => (Current, aborted) = (number, false);

    public void Abort() => aborted = true;

    /// <summary>Something of this work, later.</summary>
    public void Later(long number, TimeSpan after, Action happening) => self.In(after, () =>
    {
        if (Current == number && !aborted)
            happening();
    });
}
