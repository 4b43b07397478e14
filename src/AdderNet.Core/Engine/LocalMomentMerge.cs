using AdderNet.Core.Sharding;

namespace AdderNet.Core.Engine;

/// <summary>The meeting at a batch norm when one replica computes all <paramref name="shards"/> shards.</summary>
internal sealed class LocalMomentMerge(int shards) : IMomentMerge
{
    private readonly TreeNodeId root = new(ShardTree.RootLevel(shards), 0);

    /// <inheritdoc/>
    /// <exception cref="ArgumentException"><paramref name="mine"/> does not cover every shard.</exception>
    public ValueTask<double[]> MergeAsync(int meeting, MomentPass pass, IReadOnlyList<MomentNode> mine, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return ValueTask.FromResult(mine is [var node] && node.Node == root ? node.Values : MomentTree.Merge(mine, shards, pass));
    }
}
