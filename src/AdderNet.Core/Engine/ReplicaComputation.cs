using System.Threading.Tasks.Sources;
using AdderNet.Core.Sharding;

namespace AdderNet.Core.Engine;

/// <summary>What one ComputeAsync was asked for.</summary>
internal readonly record struct ComputeOrder(
    ShardRange Range, IShardBatches Batches, IMomentMerge Moments, Action Progress, IEarlySums? Early, CancellationToken Cancellation);

/// <summary>
/// Runs a replica's computations, one at a time, on a thread of its own (a step takes seconds, which the thread pool is not made
/// for) and tells when they are done. Nothing is allocated for a step.
/// </summary>
/// <param name="compute">Computes. What follows a wait for samples or for other members goes on where that ended.</param>
/// <param name="result">The result of a computation that ended well.</param>
internal sealed class ReplicaComputation(Func<ComputeOrder, ValueTask> compute, Func<IReadOnlyList<SubtreeSum>> result)
    : IValueTaskSource<IReadOnlyList<SubtreeSum>>, IDisposable
{
    private readonly SemaphoreSlim orders = new(0);
    private ManualResetValueTaskSourceCore<IReadOnlyList<SubtreeSum>> done = new() { RunContinuationsAsynchronously = true };
    private Thread? thread;
    private Action? finish;
    private ComputeOrder order;
    private ValueTask running;
    private volatile bool stopping;

    /// <summary>Starts a computation. The result is to be awaited once, before the next start.</summary>
    public ValueTask<IReadOnlyList<SubtreeSum>> Start(ComputeOrder next)
    {
        if (next.Cancellation.IsCancellationRequested)
            return ValueTask.FromCanceled<IReadOnlyList<SubtreeSum>>(next.Cancellation);
        done.Reset();
        order = next;
        if (thread is null)
        {
            thread = new Thread(Run) { IsBackground = true, Name = "addernet step" };
            thread.Start();
        }

        orders.Release();
        return new ValueTask<IReadOnlyList<SubtreeSum>>(this, done.Version);
    }

    /// <summary>Ends the thread; no computation may be under way.</summary>
    public void Dispose()
    {
        if (stopping)
            return;
        stopping = true;
        orders.Release();
        thread?.Join();
        orders.Dispose();
    }

    IReadOnlyList<SubtreeSum> IValueTaskSource<IReadOnlyList<SubtreeSum>>.GetResult(short token) => done.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<IReadOnlyList<SubtreeSum>>.GetStatus(short token) => done.GetStatus(token);

    void IValueTaskSource<IReadOnlyList<SubtreeSum>>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        done.OnCompleted(continuation, state, token, flags);

    private void Run()
    {
        while (true)
        {
            orders.Wait();
            if (stopping)
                return;
            running = compute(order);
            if (running.IsCompleted)
                Finish();
            else
                running.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(finish ??= Finish);
        }
    }

    private void Finish()
    {
        IReadOnlyList<SubtreeSum> sums;
        try
        {
            running.GetAwaiter().GetResult();
            sums = result();
        }
        catch (Exception failure)
        {
            done.SetException(failure);
            return;
        }

        done.SetResult(sums);
    }
}
