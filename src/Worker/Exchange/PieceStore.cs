namespace AdderNet.Worker.Exchange;

/// <summary>
/// The pieces that this member serves. A request waits until its piece exists (bounded); requests that can never be met are
/// refused. Payloads are borrowed from the buffers of the step, not copied. Thread-safe.
/// </summary>
internal sealed class PieceStore(TimeProvider time, TimeSpan longestWait)
{
    private readonly Lock gate = new();
    private readonly Dictionary<PieceId, IReadOnlyList<PieceNode>> pieces = [];
    private readonly Dictionary<PieceId, Signal> awaited = [];
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
            JudgeAnew();
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
            JudgeAnew();
        }
    }

    /// <summary>Makes a piece of the current step available.</summary>
    public void Publish(PieceSort sort, int index, IReadOnlyList<PieceNode> nodes)
    {
        lock (gate)
        {
            var id = new PieceId(runId, generation, step, sort, index);
            pieces[id] = nodes;
            if (awaited.Remove(id, out var signal))
                signal.SetResult();
        }
    }

    /// <summary>The nodes of a piece, once it exists.</summary>
    /// <exception cref="PieceRefusedException">The request is stale, or the piece did not come in time.</exception>
    public ValueTask<IReadOnlyList<PieceNode>> WaitAsync(PieceId wanted, CancellationToken cancellation)
    {
        lock (gate)
            return Find(wanted) is { } nodes ? ValueTask.FromResult(nodes) : new ValueTask<IReadOnlyList<PieceNode>>(WaitForAsync(wanted, cancellation));
    }

    /// <summary>The nodes of a piece that comes after one that was served, once it exists; null once its step is over.</summary>
    public async ValueTask<IReadOnlyList<PieceNode>?> FollowAsync(PieceId wanted, CancellationToken cancellation)
    {
        while (true)
        {
            Task change;
            lock (gate)
            {
                if (PieceGate.Judge(runId, generation, step, wanted).Verdict == PieceVerdict.Refuse)
                    return null;
                if (pieces.TryGetValue(wanted, out var nodes))
                    return nodes;
                change = Await(wanted);
            }

            try
            {
                await change.WaitAsync(cancellation);
            }
            catch (OperationCanceledException)
            {
                GiveUp(wanted, change);
                throw;
            }
        }
    }

    private async Task<IReadOnlyList<PieceNode>> WaitForAsync(PieceId wanted, CancellationToken cancellation)
    {
        using var patience = new CancellationTokenSource(longestWait, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, patience.Token);
        while (true)
        {
            Task change;
            lock (gate)
            {
                if (Find(wanted) is { } nodes)
                    return nodes;
                change = Await(wanted);
            }

            try
            {
                await change.WaitAsync(either.Token);
            }
            catch (OperationCanceledException)
            {
                GiveUp(wanted, change);
                cancellation.ThrowIfCancellationRequested();
                throw new PieceRefusedException($"{wanted} did not exist after {longestWait.TotalSeconds:0} s", stale: false);
            }
        }
    }

    /// <summary>The piece's nodes if it exists now; null: not yet. Under the lock.</summary>
    private IReadOnlyList<PieceNode>? Find(PieceId wanted)
    {
        var (verdict, reason) = PieceGate.Judge(runId, generation, step, wanted);
        if (verdict == PieceVerdict.Refuse)
        {
            Refused++;
            throw new PieceRefusedException(reason, stale: true);
        }

        return verdict == PieceVerdict.Serve ? pieces.GetValueOrDefault(wanted) : null;
    }

    /// <summary>Told when the piece exists or requests are to be judged anew. Under the lock.</summary>
    private Task Await(PieceId wanted)
    {
        if (!awaited.TryGetValue(wanted, out var signal))
            awaited[wanted] = signal = new Signal();
        signal.Waiting++;
        return signal.Task;
    }

    private void GiveUp(PieceId wanted, Task change)
    {
        lock (gate)
        {
            if (awaited.TryGetValue(wanted, out var signal) && signal.Task == change && --signal.Waiting == 0)
                awaited.Remove(wanted);
        }
    }

    private void JudgeAnew()
    {
        foreach (var signal in awaited.Values)
            signal.SetResult();
        awaited.Clear();
    }

    /// <summary>Told when a piece that requests wait for exists, or when they are to be judged anew.</summary>
    private sealed class Signal() : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        /// <summary>Requests that wait for it.</summary>
        public int Waiting { get; set; }
    }
}

/// <summary>A request for a piece that is not answered.</summary>
internal sealed class PieceRefusedException(string reason, bool stale) : Exception(reason)
{
    /// <summary>True when the request can never be met; false when it waited too long.</summary>
    public bool Stale { get; } = stale;
}
