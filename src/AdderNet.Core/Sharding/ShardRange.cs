namespace AdderNet.Core.Sharding;

/// <summary>A contiguous range of shard indexes, <paramref name="First"/> inclusive to <paramref name="End"/> exclusive.</summary>
public readonly record struct ShardRange(int First, int End)
{
    /// <summary>Number of shards in the range; 0 for spares and observers.</summary>
    public int Count => End - First;

    /// <inheritdoc/>
    public override string ToString() => $"[{First},{End})";
}

/// <summary>
/// A node of the shard tree: node(l, i) = node(l-1, 2i) + node(l-1, 2i+1); leaves (level 0) are single shards.
/// It covers shards [Index &lt;&lt; Level, (Index + 1) &lt;&lt; Level).
/// </summary>
public readonly record struct TreeNodeId(int Level, int Index)
{
    /// <summary>The shards below this node.</summary>
    public ShardRange Shards => new(Index << Level, (Index + 1) << Level);
}

/// <summary>Integer facts of a step that cross shards by exact sums (and a minimum), never divided by the number of shards.</summary>
/// <param name="Samples">Samples computed.</param>
/// <param name="Correct">Samples whose largest logit (lowest class on ties) was the label.</param>
/// <param name="FirstNonFinite">0 when every value was finite; else 1 + (layer &lt;&lt; 32 | shard), the smallest found.</param>
public readonly record struct StepCounts(long Samples, long Correct, long FirstNonFinite)
{
    /// <summary>Joins two nodes' counts.</summary>
    public static StepCounts operator +(StepCounts a, StepCounts b) => new(
        a.Samples + b.Samples,
        a.Correct + b.Correct,
        a.FirstNonFinite == 0 ? b.FirstNonFinite
            : b.FirstNonFinite == 0 ? a.FirstNonFinite
            : Math.Min(a.FirstNonFinite, b.FirstNonFinite));
}
