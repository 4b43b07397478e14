using AdderNet.Core.Engine;
using AdderNet.Worker.Exchange;
using AdderNet.Worker.Membership;

namespace AdderNet.Worker.Training;

/// <summary>A member's part in one generation: its range and its links to the other members.</summary>
internal sealed class GenerationWork : IAsyncDisposable
{
    private readonly PieceStore store;
    private readonly GradientExchange exchange;
    private readonly RemoteMomentMerge moments;
    private readonly CancellationTokenSource life = new();
    private Task following = Task.CompletedTask;
    private StepReduction? reduction;

    public GenerationWork(
        GenerationView view, string workerId, PreparedMember member, Neighbours neighbours, Progress progress)
    {
        store = neighbours.Store;
        Number = view.Generation;
        Me = view.Find(workerId)!;
        var options = member.Description.Exchange;
        var shards = member.Description.Batch.Shards;
        exchange = new GradientExchange(
            view, workerId, shards, member.Replica.Layout.ReductionLength, (long)(options.BucketMegabytes * (1 << 20)), options.GroupSize, store, Lane);
        moments = new RemoteMomentMerge(view, workerId, shards, store, progress, to => LaneOn(to, ChannelUse.Meetings));

        PullLane Lane(MemberInfo to) => LaneOn(to, ChannelUse.Bulk);

        PullLane LaneOn(MemberInfo to, ChannelUse use) => new(to, neighbours.Channels.To(to, use), workerId, () =>
        {
            progress.Advance();
            neighbours.Watch.Heard(to.WorkerId);
        }, neighbours.Channels.Time);
    }

    /// <summary>The generation's number.</summary>
    public long Number { get; }

    /// <summary>This member.</summary>
    public MemberInfo Me { get; }

    /// <summary>Where its shards meet the others' at batch norms.</summary>
    public IMomentMerge Moments => moments;

    /// <summary>Begins a step: neighbours may ask for its pieces from now on.</summary>
    /// <param name="step">The step.</param>
    /// <param name="mean">Receives the mean.</param>
    /// <returns>The step's exchange over all members, which runs while the step is computed; the generation's end ends it.</returns>
    public async Task<StepReduction> BeginStepAsync(long step, float[] mean)
    {
        if (reduction is not null)
            await reduction.DisposeAsync();
        store.BeginStep(step);
        moments.BeginStep(step);
        return reduction = new StepReduction(exchange, step, mean);
    }

    /// <summary>An observer takes the finished mean of a step, after those it asked for before, until the generation is left.</summary>
    /// <param name="step">The step.</param>
    /// <param name="mean">Receives the mean.</param>
    /// <param name="end">Told how it ended: with the mean, or with what went wrong.</param>
    public void Follow(long step, float[] mean, Action<ReducedStep?, string> end)
    {
        var before = following;
        following = Task.Run(() => FollowAsync(before, step, mean, end), CancellationToken.None);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await life.CancelAsync();
        await following;
        if (reduction is not null)
            await reduction.DisposeAsync();
        await exchange.DisposeAsync();
        await moments.DisposeAsync();
        life.Dispose();
    }

    private async Task FollowAsync(Task before, long step, float[] mean, Action<ReducedStep?, string> end)
    {
        await before;
        if (life.IsCancellationRequested)
            return;
        try
        {
            end(ReducedStep.Create(mean, await exchange.ReduceAsync(step, OwnSums.Of([]), mean, life.Token)), string.Empty);
        }
        catch (OperationCanceledException) when (life.IsCancellationRequested)
        {
            // The generation is left: nobody waits for this mean any more.
        }
        catch (PeerException e)
        {
            end(null, e.Message);
        }
    }
}
