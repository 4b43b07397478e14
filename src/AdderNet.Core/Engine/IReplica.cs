using AdderNet.Core.Sharding;

namespace AdderNet.Core.Engine;

/// <summary>
/// The engine seam: one copy of the model on one device. Workers drive it; the managed CPU engine and the CUDA engine
/// implement it. Calls are made one at a time. Equal inputs give equal bits on every replica of the same engine.
/// </summary>
public interface IReplica : IDisposable
{
    /// <summary>Where every tensor lies in flat buffers.</summary>
    ModelLayout Layout { get; }

    /// <summary>The last applied step; 0 for initial weights.</summary>
    long AppliedStep { get; }

    /// <summary>
    /// Runs forward and backward of the given shards for step <see cref="AppliedStep"/> + 1 and returns the sums of the
    /// largest aligned subtrees in the range, left to right. With <c>normalization: shard</c> shards run one after
    /// another; with <c>global</c> they run in lock step and meet other members in <paramref name="moments"/>.
    /// An empty range returns no nodes (in <c>global</c> mode it need not meet anyone).
    /// </summary>
    /// <param name="range">Shards to compute.</param>
    /// <param name="batches">Gives each shard's samples for the step.</param>
    /// <param name="moments">Merges batch-norm moments over all S shards (unused in <c>shard</c> mode).</param>
    /// <param name="progress">Called whenever a shard or a layer is finished.</param>
    /// <param name="early">Hears of finished parts of the sums while the last backward pass runs; null: nobody asks.</param>
    /// <param name="cancellation">Abandons the step; the replica stays at <see cref="AppliedStep"/>.</param>
    /// <returns>The nodes; the list and its sums are the replica's and valid until its next ComputeAsync. To be awaited once.</returns>
    ValueTask<IReadOnlyList<SubtreeSum>> ComputeAsync(
        ShardRange range, IShardBatches batches, IMomentMerge moments, Action progress, IEarlySums? early, CancellationToken cancellation);

    /// <summary>
    /// Applies a committed step: adaptive rate, momentum, weights, running statistics (design equation 12-13), or with
    /// <paramref name="skip"/> only advances step and schedule.
    /// </summary>
    /// <param name="mean">Reduction vector of the step, already divided by S (<see cref="ModelLayout.ReductionLength"/> elements).</param>
    /// <param name="skip">Leaves weights, momentum and statistics as they are.</param>
    /// <exception cref="Exception">Any exception leaves the replica undefined: the process must end.</exception>
    void Apply(ReadOnlySpan<float> mean, bool skip);

    /// <summary>Runs the model with running statistics on consecutive samples and sums loss (double) and hits.</summary>
    EvaluationSums Evaluate(SampleBatch batch, CancellationToken cancellation);

    /// <summary>A copy of parameters, momentum and running statistics.</summary>
    /// <param name="reuse">A state of this model that nobody reads any more: its buffers are filled. Null: new ones.</param>
    ReplicaState Export(ReplicaState? reuse = null);

    /// <summary>Replaces parameters, momentum, running statistics and <see cref="AppliedStep"/>.</summary>
    void Import(ReplicaState state);
}

/// <summary>Hears of a step's sums while its last backward pass still runs: gradients are finished from the last layer to the first.</summary>
public interface IEarlySums
{
    /// <summary>
    /// A part of every sum has its last bits. Called on the thread that computes, which must not be held up. A step that
    /// fails or is abandoned makes void what was said before.
    /// </summary>
    /// <param name="sums">The nodes that the step will return, in the same memory, their counts not known yet; valid as long as those.</param>
    /// <param name="from">The elements from here to the end are final. Lower at every call of a step; 0 at the last one. An empty range has no calls.</param>
    void FinalFrom(IReadOnlyList<SubtreeSum> sums, int from);
}

/// <summary>The sum of one aligned subtree of the shard tree.</summary>
/// <param name="Node">Which subtree.</param>
/// <param name="Sum">Reduction vector summed (not divided) over the subtree; owned by the replica and valid until its next ComputeAsync.</param>
/// <param name="Counts">Counts summed over the subtree.</param>
public readonly record struct SubtreeSum(TreeNodeId Node, ReadOnlyMemory<float> Sum, StepCounts Counts);

/// <summary>Normalised samples with their labels.</summary>
/// <param name="Images">Float32, [Count, Height, Width, Channels], channels last.</param>
/// <param name="Labels">Class of each sample.</param>
/// <param name="Count">Number of samples.</param>
public sealed record SampleBatch(ReadOnlyMemory<float> Images, ReadOnlyMemory<int> Labels, int Count);

/// <summary>Gives the samples of a shard. Implementations read ahead.</summary>
public interface IShardBatches
{
    /// <summary>The samples of one shard of one step (steps count from 1), augmented and normalised.</summary>
    ValueTask<SampleBatch> GetAsync(long step, int shard, CancellationToken cancellation);
}

/// <summary>A node of batch-norm moments: <paramref name="Values"/> holds, forward, [n, mean per channel, M2 per channel]; backward, [sum dy per channel, sum dy*xhat per channel].</summary>
public readonly record struct MomentNode(TreeNodeId Node, double[] Values);

/// <summary>Which merge rule a meeting follows.</summary>
public enum MomentPass
{
    /// <summary>Pairwise merge of (n, mean, M2) in double.</summary>
    Forward,

    /// <summary>Sums in double.</summary>
    Backward,
}

/// <summary>The meeting of all members at a batch norm (normalization: global).</summary>
public interface IMomentMerge
{
    /// <summary>Merges the caller's subtree nodes with every other member's through the shard tree and returns the root.</summary>
    /// <param name="meeting">Counts meetings within the step from 0, equal on all members.</param>
    /// <param name="pass">Forward or backward rule.</param>
    /// <param name="mine">The sums of the largest aligned subtrees in the caller's range. The list is the caller's again once the merge is done; the nodes' values stay as they are until its next step.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>The root's values; may be those of a node of <paramref name="mine"/>.</returns>
    ValueTask<double[]> MergeAsync(int meeting, MomentPass pass, IReadOnlyList<MomentNode> mine, CancellationToken cancellation);
}

/// <summary>Sums over evaluated samples.</summary>
/// <param name="Samples">Samples evaluated.</param>
/// <param name="Top1">Samples whose label is the largest logit; ties take the lowest class.</param>
/// <param name="Top5">Samples whose label is among the five largest logits.</param>
/// <param name="LossSum">Cross-entropy summed in double in sample order.</param>
public readonly record struct EvaluationSums(long Samples, long Top1, long Top5, double LossSum)
{
    /// <summary>Adds the sums of the samples that follow.</summary>
    public static EvaluationSums operator +(EvaluationSums sums, EvaluationSums next) =>
        new(sums.Samples + next.Samples, sums.Top1 + next.Top1, sums.Top5 + next.Top5, sums.LossSum + next.LossSum);
}

/// <summary>All that a replica must hold to go on: flat buffers in the order of <see cref="ModelLayout"/>.</summary>
/// <param name="Step">Applied steps.</param>
/// <param name="Parameters">Length <see cref="ModelLayout.ParameterLength"/>.</param>
/// <param name="Momentum">Length <see cref="ModelLayout.ParameterLength"/>.</param>
/// <param name="Statistics">Length <see cref="ModelLayout.StatisticsLength"/>.</param>
public sealed record ReplicaState(long Step, float[] Parameters, float[] Momentum, float[] Statistics);
