namespace AdderNet.Worker.Transfer;

/// <summary>
/// The state that this member offers to others of its generation: copied at the first request and given up when the member
/// moves on, or copied at the boundary and kept while it trains on. A request that comes before the member has reached the base waits, bounded. Downloads in
/// progress keep the snapshot that they began with. Thread-safe.
/// </summary>
internal sealed class SnapshotShelf(TimeProvider time, TimeSpan longestWait)
{
    private readonly Lock gate = new();
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string runId = string.Empty;
    private long generation;
    private bool movedOn;
    private bool keeps;
    private Lazy<Snapshot>? snapshot;

    /// <summary>A generation was announced; its base is not reached yet.</summary>
    public void BeginGeneration(string run, long number)
    {
        lock (gate)
        {
            (runId, generation, movedOn, keeps, snapshot) = (run, number, false, false, null);
            Signal();
        }
    }

    /// <summary>Offers the base; <paramref name="make"/> runs at most once, and never after <see cref="Withdraw"/> has returned.</summary>
    public void Offer(Func<Snapshot> make)
    {
        lock (gate)
        {
            snapshot = new Lazy<Snapshot>(make);
            Signal();
        }
    }

    /// <summary>Offers a copy of the base until the next generation; <paramref name="make"/> turns it into bytes, at most once.</summary>
    public void Keep(Func<Snapshot> make)
    {
        lock (gate)
        {
            (keeps, snapshot) = (true, new Lazy<Snapshot>(make));
            Signal();
        }
    }

    /// <summary>Ends an offer of the replica itself, after a copy that is just being made.</summary>
    public void Withdraw()
    {
        lock (gate)
        {
            if (keeps)
                return;
            (movedOn, snapshot) = (true, null);
            Signal();
        }
    }

    /// <summary>The snapshot of a step, as soon as this member has it.</summary>
    /// <exception cref="SnapshotRefusedException">This member does not have it and will not.</exception>
    public async Task<Snapshot> FindAsync(string run, long number, long step, CancellationToken cancellation)
    {
        using var patience = new CancellationTokenSource(longestWait, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, patience.Token);
        while (true)
        {
            Task change;
            Lazy<Snapshot>? kept = null;
            lock (gate)
            {
                if (runId.Length > 0 && runId != run)
                    throw new SnapshotRefusedException($"this member works on run {runId}, not {run}");
                if (number < generation)
                    throw new SnapshotRefusedException($"generation {number} is over: this member is in generation {generation}");
                if (number == generation && movedOn)
                    throw new SnapshotRefusedException($"this member has left step {step}");

                // What is not kept is copied under the lock: the replica may not move on meanwhile.
                if (number == generation && keeps)
                    kept = snapshot;
                else if (number == generation && snapshot?.Value is { } ready)
                    return OfStep(ready, step);

                change = changed.Task;
            }

            if (kept is not null)
                return OfStep(kept.Value, step);

            try
            {
                await change.WaitAsync(either.Token);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                throw new SnapshotRefusedException($"this member did not reach step {step} within {longestWait.TotalSeconds:0} s");
            }
        }
    }

    private static Snapshot OfStep(Snapshot ready, long step) =>
        ready.Step == step ? ready : throw new SnapshotRefusedException($"this member is at step {ready.Step}, not {step}");

    private void Signal()
    {
        changed.SetResult();
        changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>A request for a state that is not answered.</summary>
internal sealed class SnapshotRefusedException(string reason) : Exception(reason);
