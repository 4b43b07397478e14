using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using AdderNet.Core.Engine;
using AdderNet.Core.Sharding;
using AdderNet.Worker.Membership;

namespace AdderNet.Worker.Exchange;

/// <summary>
/// The meeting of a generation's members at each batch norm (<c>normalization: global</c>): every member publishes its
/// subtree moments, pulls everybody's, and merges all of them itself through the shard tree, so all hold the same bits.
/// </summary>
internal sealed class RemoteMomentMerge : IMomentMerge, IAsyncDisposable
{
    private readonly GenerationView view;
    private readonly int shards;
    private readonly PieceStore store;
    private readonly Progress progress;
    private readonly List<PullLane> lanes;
    private long step;

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
    public void BeginStep(long number) => step = number;

    /// <inheritdoc/>
    public async ValueTask<double[]> MergeAsync(int meeting, MomentPass pass, IReadOnlyList<MomentNode> mine, CancellationToken cancellation)
    {
        if (lanes.Count == 0)
            return MomentTree.Merge(mine, shards, pass);

        store.Publish(PieceSort.Statistics, meeting, mine.Select(n => new PieceNode(n.Node, ElementBytes<double>.Of(n.Values), default)).ToList());
        var id = new PieceId(view.RunId, view.Generation, step, PieceSort.Statistics, meeting);
        var arrived = new ConcurrentBag<MomentNode>(mine);
        using (progress.Wait())
            await PullGroup.RunAsync(lanes.Select(lane => (Func<CancellationToken, Task>)(token => PullAsync(lane, token))), cancellation);
        try
        {
            return MomentTree.Merge(arrived, shards, pass);
        }
        catch (ArgumentException e)
        {
            throw new PeerException(string.Empty, $"the moments of meeting {meeting} in step {step} do not fit together: {e.Message}", e);
        }

        async Task PullAsync(PullLane lane, CancellationToken token)
        {
            var values = new double[mine[0].Values.Length];
            await lane.PullAsync(
                [id],
                PullLane.Always,
                chunk =>
                {
                    var bytes = MemoryMarshal.AsBytes(values.AsSpan());
                    if (chunk.NodeBytes != bytes.Length)
                        throw new FormatException($"{id} has {chunk.NodeBytes} bytes where {bytes.Length} are expected");
                    chunk.Payload.CopyTo(bytes[chunk.Offset..]);
                    if (!chunk.EndsNode)
                        return;
                    arrived.Add(new MomentNode(chunk.Node, values));
                    values = new double[values.Length];
                },
                token);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var lane in lanes)
            await lane.DisposeAsync();
    }
}
