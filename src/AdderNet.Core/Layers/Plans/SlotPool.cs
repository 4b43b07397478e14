namespace AdderNet.Core.Layers;

/// <summary>Hands out buffers while a plan walks through a step: one that is free again serves the next value.</summary>
internal sealed class SlotPool
{
    private readonly List<int> lengths = [];
    private readonly List<bool> free = [];

    /// <summary>Floats of each slot, a sample.</summary>
    public IReadOnlyList<int> Lengths => lengths;

    /// <summary>The smallest free slot that is large enough, else the largest free one made larger, else a new one.</summary>
    public int Take(int length)
    {
        var best = -1;
        for (var i = 0; i < lengths.Count; i++)
        {
            if (!free[i])
                continue;
            var better = best < 0 || (lengths[best] < length
                ? lengths[i] > lengths[best]
                : lengths[i] >= length && lengths[i] < lengths[best]);
            if (better)
                best = i;
        }

        if (best < 0)
        {
            lengths.Add(length);
            free.Add(false);
            return lengths.Count - 1;
        }

        lengths[best] = Math.Max(lengths[best], length);
        free[best] = false;
        return best;
    }

    public void Release(int slot) => free[slot] = true;
}
