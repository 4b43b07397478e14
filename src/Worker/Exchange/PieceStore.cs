namespace AdderNet.Worker.Exchange;

/// <summary>
/// The pieces that this member serves. A request waits until its piece exists (bounded); requests that can never be met are
/// refused. Payloads are borrowed from the buffers of the step, not copied. Thread-safe.
/// </summary>
internal sealed class PieceStore(TimeProvider time, TimeSpan longestWait)
{
    private readonly Lock gate = new();
    private readonly Dictionary<PieceId, IReadOnlyList<PieceNode>> pieces = [];
    private TaskCompletionSource changed = NewSignal();
    private string runId = string.Empty;
    private long generation;
    private long step;

    /// <summary>Requests refused because they were stale.</summary>
    public long Refused { get; private set; }

    /// <summary>Leaves the old generation: its pieces are gone, its waiting requests refused.</summary>
    public void BeginGeneration(string run, long number, long baseStep)
    {
        lock (gate)
        {
            (runId, generation, step) = (run, number, baseStep);
            pieces.Clear();
            Signal();
        }
    }

    /// <summary>Drops what the new step's buffers overwrite and means older than one step.</summary>
    public void BeginStep(long number)
    {
        lock (gate)
        {
            step = number;
            foreach (var id in pieces.Keys.Where(id => id.Step < (id.Sort == PieceSort.Mean ? number - 1 : number)).ToList())
                pieces.Remove(id);
            Signal();
        }
    }

    /// <summary>Makes a piece of the current step available.</summary>
    public void Publish(PieceSort sort, int index, IReadOnlyList<PieceNode> nodes)
    {
        lock (gate)
        {
            pieces[new PieceId(runId, generation, step, sort, index)] = nodes;
            Signal();
        }
    }

    /// <summary>The nodes of a piece, once it exists.</summary>
    /// <exception cref="PieceRefusedException">The request is stale, or the piece did not come in time.</exception>
    public async Task<IReadOnlyList<PieceNode>> WaitAsync(PieceId wanted, CancellationToken cancellation)
    {
        using var patience = new CancellationTokenSource(longestWait, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, patience.Token);
        while (true)
        {
            Task change;
            lock (gate)
            {
                var (verdict, reason) = PieceGate.Judge(runId, generation, step, wanted);
                if (verdict == PieceVerdict.Refuse)
                {
                    Refused++;
                    throw new PieceRefusedException(reason, stale: true);
                }

                if (verdict == PieceVerdict.Serve && pieces.TryGetValue(wanted, out var nodes))
                    return nodes;
                change = changed.Task;
            }

            try
            {
                await change.WaitAsync(either.Token);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                throw new PieceRefusedException($"{wanted} did not exist after {longestWait.TotalSeconds:0} s", stale: false);
            }
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Signal()
    {
        changed.SetResult();
        changed = NewSignal();
    }
}

/// <summary>A request for a piece that is not answered.</summary>
internal sealed class PieceRefusedException(string reason, bool stale) : Exception(reason)
{
    /// <summary>True when the request can never be met; false when it waited too long.</summary>
    public bool Stale { get; } = stale;
}
