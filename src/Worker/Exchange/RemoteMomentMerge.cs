using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using AdderNet.Core.Engine;
using AdderNet.Core.Sharding;
using AdderNet.Worker.Membership;

namespace AdderNet.Worker.Exchange;

/// <summary>
/// The meeting of a generation's members at each batch norm (<c>normalization: global</c>): every member publishes its
/// subtree moments, takes everybody's, and merges all of them itself through the shard tree, so all hold the same bits. What a
/// member has of a meeting leaves as soon as it is there and is on its way once: the first meeting of a step asks for all that
/// follow. The lanes have connections of their own, so that no moments wait behind a bucket.
/// </summary>
internal sealed class RemoteMomentMerge : IMomentMerge, IAsyncDisposable
{
    private readonly GenerationView view;
    private readonly int shards;
    private readonly PieceStore store;
    private readonly Progress progress;
    private readonly List<PullLane> lanes;
    private long step;
    private bool asked;

    public RemoteMomentMerge(GenerationView view, string workerId, int shards, PieceStore store, Progress progress, Func<MemberInfo, PullLane> lane)
    {
        this.view = view;
        this.shards = shards;
        this.store = store;
        this.progress = progress;
        lanes = view.Find(workerId)!.Computes
            ? view.Members.Where(m => m.Computes && m.WorkerId != workerId).Select(lane).ToList()
            : [];
    }

    /// <summary>Meetings from now on belong to this step.</summary>
    public void BeginStep(long number) => (step, asked) = (number, false);

    /// <inheritdoc/>
    public async ValueTask<double[]> MergeAsync(int meeting, MomentPass pass, IReadOnlyList<MomentNode> mine, CancellationToken cancellation)
    {
        if (lanes.Count == 0)
            return MomentTree.Merge(mine, shards, pass);

        store.Publish(PieceSort.Statistics, meeting, mine.Select(n => new PieceNode(n.Node, ElementBytes<double>.Of(n.Values), default)).ToList());
        var id = new PieceId(view.RunId, view.Generation, step, PieceSort.Statistics, meeting);
        var arrived = new ConcurrentBag<MomentNode>(mine);
        using (progress.Wait())
            await TakeAllAsync();
        try
        {
            return MomentTree.Merge(arrived, shards, pass);
        }
        catch (ArgumentException e)
        {
            throw new PeerException(string.Empty, $"the moments of meeting {meeting} in step {step} do not fit together: {e.Message}", e);
        }

        async Task TakeAllAsync()
        {
            if (!asked)
            {
                asked = true;
                await PullGroup.RunAsync(lanes.Select(lane => (Func<CancellationToken, Task>)(token => lane.PullAsync([id], PullLane.Always, Receiver(), token))), cancellation);
                return;
            }

            // One after another: what came on the next lane meanwhile is read without waiting.
            foreach (var lane in lanes)
                await lane.FollowAsync(id, Receiver(), cancellation);
        }

        PieceReceiver Receiver()
        {
            var values = new double[mine[0].Values.Length];
            return chunk =>
            {
                var bytes = MemoryMarshal.AsBytes(values.AsSpan());
                if (chunk.NodeBytes != bytes.Length)
                    throw new FormatException($"{id} has {chunk.NodeBytes} bytes where {bytes.Length} are expected");
                chunk.Payload.CopyTo(bytes[chunk.Offset..]);
                if (!chunk.EndsNode)
                    return;
                arrived.Add(new MomentNode(chunk.Node, values));
                values = new double[values.Length];
            };
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var lane in lanes)
            await lane.DisposeAsync();
    }
}
