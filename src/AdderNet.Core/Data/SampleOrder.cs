using AdderNet.Core.Numerics;

namespace AdderNet.Core.Data;

/// <summary>
/// Which sample is used when: an epoch is floor(N/B) steps over a permutation keyed by (seed, epoch); its tail is dropped,
/// a different one each epoch, so that each sample is used at most once an epoch. Safe for several threads.
/// </summary>
public sealed class SampleOrder
{
    private readonly long seed;
    private readonly int samples;
    private readonly int globalBatch;
    private readonly Lock gate = new();

    // Reading ahead crosses the border of an epoch, hence two.
    private (int Epoch, int[] Order) newest = (-1, []);
    private (int Epoch, int[] Order) older = (-1, []);

    /// <param name="seed">The run's seed.</param>
    /// <param name="samples">N, training samples.</param>
    /// <param name="globalBatch">B, samples of one step.</param>
    /// <exception cref="DataException">There are fewer samples than one step needs.</exception>
    public SampleOrder(long seed, int samples, int globalBatch)
    {
        (this.seed, this.samples, this.globalBatch) = (seed, samples, globalBatch);
        StepsPerEpoch = CountSteps(samples, globalBatch);
    }

    /// <summary>floor(N/B), at least 1.</summary>
    public int StepsPerEpoch { get; }

    /// <summary>floor(N/B), the steps of one epoch.</summary>
    /// <exception cref="DataException">There are fewer samples than one step needs.</exception>
    internal static int CountSteps(int samples, int globalBatch) => samples >= globalBatch
        ? samples / globalBatch
        : throw new DataException($"batch.global: {globalBatch} is more than the {samples} training samples; for example batch.global: {System.Numerics.BitOperations.RoundUpToPowerOf2((uint)samples + 1) / 2}");

    /// <summary>The epoch, from 0, of a step, from 1.</summary>
    internal int Epoch(long step) => checked((int)((step - 1) / StepsPerEpoch));

    /// <summary>The permutation of all N samples in an epoch (Fisher-Yates from the last place down). Not to be changed.</summary>
    internal int[] Permutation(int epoch)
    {
        lock (gate)
        {
            if (newest.Epoch == epoch)
                return newest.Order;
            if (older.Epoch == epoch)
                return older.Order;
            older = newest;
            newest = (epoch, Shuffle(epoch));
            return newest.Order;
        }
    }

    /// <summary>perm[stepInEpoch*B + shard*B/S + i] for i from 0 to B/S - 1.</summary>
    /// <param name="step">From 1.</param>
    /// <param name="shard">From 0 to S - 1.</param>
    /// <param name="shardSize">B/S.</param>
    internal ReadOnlySpan<int> Samples(long step, int shard, int shardSize)
    {
        var stepInEpoch = (int)((step - 1) % StepsPerEpoch);
        return Permutation(Epoch(step)).AsSpan((stepInEpoch * globalBatch) + (shard * shardSize), shardSize);
    }

    private int[] Shuffle(int epoch)
    {
        var order = new int[samples];
        for (var i = 0; i < samples; i++)
            order[i] = i;
        var random = new Philox(seed, DrawPurpose.Permutation, (uint)epoch);
        for (var i = samples - 1; i > 0; i--)
        {
            var j = random.NextBelow(i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }

        return order;
    }
}
