namespace AdderNet.Core.Kernels;

/// <summary>
/// A gate between two threads: each opening lets the other pass once. Whoever waits spins for a while, some tens of
/// microseconds, before it sleeps: waking a thread costs as much as a small layer.
/// </summary>
internal sealed class OrderGate : IDisposable
{
    private const int Spins = 400;
    private const int PausesEach = 8;
    private readonly SemaphoreSlim sleeper = new(0);
    private int openings;
    private int passed;
    private int asleep;

    /// <summary>Called by one thread, and not again before the other has passed.</summary>
    public void Open()
    {
        Count();
        Wake();
    }

    /// <summary>The first half of an opening: whoever spins may pass from here on.</summary>
    internal void Count() => Volatile.Write(ref openings, openings + 1);

    /// <summary>The other half: wakes whoever sleeps. It may come late, when the other has passed and waits for the next opening.</summary>
    internal void Wake()
    {
        if (Interlocked.Exchange(ref asleep, 0) == 1)
            sleeper.Release();
    }

    /// <summary>Waits for the next opening. Called by the other thread.</summary>
    public void Pass()
    {
        for (var spin = 0; spin < Spins && !IsOpen; spin++)
            Thread.SpinWait(PausesEach);
        while (!IsOpen)
        {
            // Announced first and looked again then: an opening in between is either seen here or wakes the sleeper. Whoever took the
            // announcement back releases the semaphore once, for this opening or late for the one before; hence the loop.
            Interlocked.Exchange(ref asleep, 1);
            if (!IsOpen || Interlocked.Exchange(ref asleep, 0) == 0)
                sleeper.Wait();
        }

        passed++;
    }

    public void Dispose() => sleeper.Dispose();

    private bool IsOpen => Volatile.Read(ref openings) != passed;
}
