using AdderNet.Core.Engine;
using AdderNet.Core.Sharding;

namespace AdderNet.Core.Layers;

/// <summary>
/// Where the shards of a step meet at a batch norm. With <c>normalization: shard</c> each keeps what it brings; with
/// <c>global</c> all of them get the root of the shard tree.
/// </summary>
internal sealed class MomentMeeting
{
    private readonly List<MomentNode> nodes = [];
    private double[][] brought = [];
    private double[]? root;
    private IMomentMerge? merge;
    private int number;

    /// <summary>Starts a step.</summary>
    /// <param name="merge">Null: shards do not meet.</param>
    /// <param name="shards">Shards of this replica that go together.</param>
    public void Begin(IMomentMerge? merge, int shards)
    {
        this.merge = merge;
        number = 0;
        root = null;
        nodes.Clear();
        if (brought.Length < shards)
            brought = new double[shards][];
    }

    /// <summary>Brings a shard's values; shards come in ascending order.</summary>
    /// <param name="place">Place of the shard in this replica.</param>
    /// <param name="shard">The shard.</param>
    /// <param name="values">Its values, which the meeting may add others to and which then stay until the next step.</param>
    public void Bring(int place, int shard, double[] values)
    {
        brought[place] = values;
        if (merge is not null)
            nodes.Add(new MomentNode(new TreeNodeId(0, shard), values));
    }

    public async ValueTask MeetAsync(MomentPass pass, CancellationToken cancellation)
    {
        if (merge is null)
            return;
        MomentTree.ReduceInPlace(nodes, pass);
        root = await merge.MergeAsync(number++, pass, nodes, cancellation).ConfigureAwait(false);
        nodes.Clear();
    }

    /// <summary>What a shard goes on with.</summary>
    public ReadOnlySpan<double> Result(int place) => root ?? brought[place];
}
