namespace AdderNet.Worker.Transfer;

/// <summary>
/// The state that this member offers to others of its generation: copied at the first request, shared by all requests, given
/// up when the member moves on. A request that comes before the member has reached the base waits, bounded. Downloads in
/// progress keep the snapshot that they began with. Thread-safe.
/// </summary>
internal sealed class SnapshotShelf(TimeProvider time, TimeSpan longestWait)
{
    private readonly Lock gate = new();
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string runId = string.Empty;
    private long generation;
    private bool movedOn;
    private Lazy<Snapshot>? snapshot;

    /// <summary>A generation was announced; its base is not reached yet.</summary>
    public void BeginGeneration(string run, long number)
    {
        lock (gate)
        {
            (runId, generation, movedOn, snapshot) = (run, number, false, null);
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

    /// <summary>Ends the offer, after a copy that is just being made.</summary>
    public void Withdraw()
    {
        lock (gate)
        {
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
            lock (gate)
            {
                if (runId.Length > 0 && runId != run)
                    throw new SnapshotRefusedException($"this member works on run {runId}, not {run}");
                if (number < generation)
                    throw new SnapshotRefusedException($"generation {number} is over: this member is in generation {generation}");
                if (number == generation && movedOn)
                    throw new SnapshotRefusedException($"this member has left step {step}");

                // The copy is made under the lock: the replica may not move on meanwhile.
                if (number == generation && snapshot?.Value is { } ready)
                {
                    return ready.Step == step
                        ? ready
                        : throw new SnapshotRefusedException($"this member is at step {ready.Step}, not {step}");
                }

                change = changed.Task;
            }

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

    private void Signal()
    {
        changed.SetResult();
        changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>A request for a state that is not answered.</summary>
internal sealed class SnapshotRefusedException(string reason) : Exception(reason);
