using AdderNet.Core.Engine;

namespace AdderNet.Worker.Exchange;

/// <summary>
/// A member's own sums of one step while they come into being: finished from the end of the reduction vector to its start, as
/// the last backward pass goes through the layers. Counts are known once all is finished, so the first element comes with them.
/// Written by the thread that computes, read by the exchange.
/// </summary>
internal sealed class OwnSums : IEarlySums
{
    private readonly Lock gate = new();
    private IReadOnlyList<SubtreeSum> sums = [];
    private TaskCompletionSource grown = NewSignal();
    private int final = int.MaxValue;

    /// <summary>The sums; their counts count once everything is final.</summary>
    public IReadOnlyList<SubtreeSum> Sums
    {
        get
        {
            lock (gate)
                return sums;
        }
    }

    /// <summary>Sums that are there already.</summary>
    public static OwnSums Of(IReadOnlyList<SubtreeSum> sums)
    {
        var own = new OwnSums();
        own.Complete(sums);
        return own;
    }

    /// <inheritdoc/>
    public void FinalFrom(IReadOnlyList<SubtreeSum> sums, int from) => Grow(sums, Math.Max(from, 1));

    /// <summary>Everything is final, counts included; none for a member that computes nothing.</summary>
    public void Complete(IReadOnlyList<SubtreeSum> sums) => Grow(sums, 0);

    /// <summary>Waits until the elements from <paramref name="from"/> on are final.</summary>
    public async ValueTask WaitAsync(int from, CancellationToken cancellation)
    {
        while (true)
        {
            Task change;
            lock (gate)
            {
                if (final <= from)
                    return;
                change = grown.Task;
            }

            await change.WaitAsync(cancellation);
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Grow(IReadOnlyList<SubtreeSum> now, int from)
    {
        lock (gate)
        {
            (sums, final) = (now, from);
            grown.SetResult();
            grown = NewSignal();
        }
    }
}
