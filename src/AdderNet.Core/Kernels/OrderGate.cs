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
        Volatile.Write(ref openings, openings + 1);
        if (Interlocked.Exchange(ref asleep, 0) == 1)
            sleeper.Release();
    }

    /// <summary>Waits for the next opening. Called by the other thread.</summary>
    public void Pass()
    {
        for (var spin = 0; spin < Spins && Volatile.Read(ref openings) == passed; spin++)
            Thread.SpinWait(PausesEach);
        if (Volatile.Read(ref openings) == passed)
        {
            // Announced first and looked again then: an opening in between is either seen here or wakes the sleeper.
            Interlocked.Exchange(ref asleep, 1);
            if (Volatile.Read(ref openings) == passed || Interlocked.Exchange(ref asleep, 0) == 0)
                sleeper.Wait();
        }

        passed++;
    }

    public void Dispose() => sleeper.Dispose();
}
