using AdderNet.Core.Engine;
using AdderNet.Core.Sharding;
using AdderNet.Worker.Exchange;

namespace AdderNet.Worker.Training;

/// <summary>
/// The exchange of one step beside its computation: it begins with the first finished sums, and what the backward pass leaves
/// over of it is waited for afterwards. A failure of it is told then, too. Ends with its owner at the latest.
/// </summary>
/// <param name="exchange">The generation's.</param>
/// <param name="step">The step; the store has begun it.</param>
/// <param name="mean">Receives the mean.</param>
internal sealed class StepReduction(GradientExchange exchange, long step, float[] mean) : IEarlySums, IAsyncDisposable
{
    private readonly OwnSums own = new();
    private readonly CancellationTokenSource life = new();
    private Task<StepCounts>? running;

    /// <summary>Lets the exchange follow a computation. One that fails or is abandoned leaves no exchange behind.</summary>
    /// <param name="compute">Computes this member's sums and tells about them early.</param>
    public async Task FollowAsync(Func<IEarlySums, ValueTask<IReadOnlyList<SubtreeSum>>> compute)
    {
        try
        {
            own.Complete(await compute(this));
            Run();
        }
        catch
        {
            await StopAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    void IEarlySums.FinalFrom(IReadOnlyList<SubtreeSum> sums, int from)
    {
        own.FinalFrom(sums, from);
        Run();
    }

    /// <summary>Waits for the mean and hashes it.</summary>
    /// <exception cref="PeerException">A neighbour failed, perhaps while this member still computed.</exception>
    public async Task<ReducedStep> FinishAsync(CancellationToken cancellation)
    {
        await using var abort = cancellation.UnsafeRegister(static s => ((CancellationTokenSource)s!).Cancel(), life);
        try
        {
            return ReducedStep.Create(mean, await running!);
        }
        catch (OperationCanceledException e) when (cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException("The exchange was abandoned.", e, cancellation);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        life.Dispose();
    }

    private void Run() => running ??= Task.Run(() => exchange.ReduceAsync(step, own, mean, life.Token));

    private async Task StopAsync()
    {
        await life.CancelAsync();
        if (running is not null)
            await ((Task)running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
