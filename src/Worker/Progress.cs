namespace AdderNet.Worker;

/// <summary>What heartbeats tell: a counter that grows with every finished shard, layer or piece, and whether the worker only waits for others.</summary>
internal sealed class Progress
{
    private long counter;
    private int waits;

    /// <summary>Grows with the work.</summary>
    public long Count => Interlocked.Read(ref counter);

    /// <summary>True while the worker waits for a peer's piece or for orders.</summary>
    public bool Waiting => Volatile.Read(ref waits) > 0;

    /// <summary>Something was finished.</summary>
    public void Advance() => Interlocked.Increment(ref counter);

    /// <summary>From now until the scope ends the worker waits for others.</summary>
    public WaitScope Wait() => new(this);

    /// <summary>Ends a wait when disposed.</summary>
    internal readonly struct WaitScope : IDisposable
    {
        private readonly Progress owner;

        public WaitScope(Progress owner)
        {
            this.owner = owner;
            Interlocked.Increment(ref owner.waits);
        }

        public void Dispose() => Interlocked.Decrement(ref owner.waits);
    }
}
