namespace AdderNet.Core.Data;

/// <summary>Foresees which shard will be asked for next from those that were: the range asked for in the step before, over and over.</summary>
internal sealed class ShardCursor(int shards)
{
    private long step;
    private int first;
    private int end;
    private (int First, int End) learnt = (0, shards);
    private (long Step, int Shard)? next;

    /// <summary>Notes a question.</summary>
    /// <param name="asked">Step, from 1.</param>
    /// <param name="shard">Shard.</param>
    /// <param name="wasExpected">It was foreseen; otherwise foreseeing starts anew from here.</param>
    public void Asked(long asked, int shard, bool wasExpected)
    {
        if (asked != step)
        {
            if (step != 0)
                learnt = (first, end);
            (step, first, end) = (asked, shard, shard + 1);
        }
        else
        {
            (first, end) = (Math.Min(first, shard), Math.Max(end, shard + 1));
        }

        if (!wasExpected)
            next = After(asked, shard);
    }

    /// <summary>The next (step, shard) that will be asked for, advancing past it; null before the first question.</summary>
    public (long Step, int Shard)? Next()
    {
        var current = next;
        if (current is { } here)
            next = After(here.Step, here.Shard);
        return current;
    }

    private (long Step, int Shard) After(long at, int shard)
    {
        // A range that grows in this step is already wider than the one learnt.
        var (begin, stop) = at == step ? (learnt.First, Math.Max(learnt.End, end)) : learnt;
        return shard + 1 < stop ? (at, shard + 1) : (at + 1, begin);
    }
}
